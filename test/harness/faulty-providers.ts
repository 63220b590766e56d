/**
 * Providers that behave as badly as real ones: a webhook, PagerDuty, Slack, a Twilio and a mail server that take a message, refuse it for
 * now, break, never answer, or take it and lose the answer. They remember what they were sent and what became of it.
 */
import { type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { startSmtp } from './smtp.ts';

export const KINDS = ['webhook', 'pagerduty', 'slack', 'sms', 'mail'] as const;
export type Kind = (typeof KINDS)[number];
/** `lost`: the provider has the message, and its client was not told. */
export type Fate = 'taken' | 'limited' | 'broken' | 'silent' | 'lost';

export type Told = {
  readonly kind: Kind;
  /** The label that every test alert carries: `life-17`. */
  readonly life: string;
  readonly status: 'firing' | 'resolved';
  /** The same for every copy of one message. */
  readonly message: string;
  /** The idempotency key, where the kind has one. */
  readonly key: string | undefined;
  /** What `epoch` said when it came. */
  readonly epoch: number;
  fate: Fate;
};

export type FaultyProviders = {
  readonly told: readonly Told[];
  toldOf(life: string): readonly Told[];
  readonly url: string;
  readonly smtpPort: number;
};
export type FaultyOptions = {
  readonly fateOf: () => Fate;
  /** Which life of the sender this is. */
  readonly epoch: () => number;
};

export type Said = Omit<Told, 'kind' | 'epoch' | 'fate'>;
/** One request of a channel of these kinds; `headers` have names in lower case. */
export type Asked = {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
};

const lifeIn = (text: string): string => /life-\d+/.exec(text)?.[0] ?? '';
/** A title names the group and says what happened to it. */
export const byTitle = (title: string): Said => ({
  life: lifeIn(title),
  status: title.startsWith('[RESOLVED]') ? 'resolved' : 'firing',
  message: title,
  key: undefined,
});

/** What a request says, and how the provider answers when all is well. Undefined `said` is no message of its own. */
export function readAsked({ path, headers, body }: Asked): {
  readonly kind: Kind;
  readonly said: Said | undefined;
  readonly answer: object;
} {
  const [, kind, method] = path.split('/') as [string, Kind, string | undefined];
  switch (kind) {
    case 'pagerduty': {
      const event = JSON.parse(body) as { event_action: string; dedup_key: string; payload: { summary: string } };
      const said = { ...byTitle(event.payload.summary), message: `${event.dedup_key} ${event.event_action}` };
      return { kind, said, answer: { status: 'success', dedup_key: event.dedup_key } };
    }
    case 'slack': {
      const { text } = JSON.parse(body) as { text: string };
      const said = method === 'chat.update' ? undefined : byTitle(text.split('\n')[0] ?? '');
      return { kind, said, answer: { ok: true, channel: 'C1', ts: '1700000000.000100' } };
    }
    case 'sms': {
      const text = new URLSearchParams(body).get('Body') ?? '';
      return { kind, said: byTitle(text.split('\n')[0] ?? ''), answer: { sid: 'SM1' } };
    }
    default: {
      const key = String(headers['idempotency-key']);
      const { status, groupLabels } = JSON.parse(body) as { status: Said['status']; groupLabels: object };
      return { kind: 'webhook', said: { life: lifeIn(JSON.stringify(groupLabels)), status, message: key, key }, answer: {} };
    }
  }
}

/** Answers as its fate wants; a message whose client left before the answer was lost on the way. */
function reply(response: ServerResponse, answer: object, told: { fate: Fate }): void {
  response.on('close', () => {
    if (told.fate === 'taken' && !response.writableFinished) told.fate = 'lost';
  });
  switch (told.fate) {
    case 'taken':
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    case 'limited':
      return void response.writeHead(429, { 'retry-after': '1' }).end();
    case 'broken':
      return void response.writeHead(500).end('broken');
    case 'lost':
      return void response.socket?.destroy();
    case 'silent':
      return undefined;
  }
}

export async function startFaultyProviders(t: TestContext, { fateOf, epoch }: FaultyOptions): Promise<FaultyProviders> {
  const told: Told[] = [];
  const byLife = new Map<string, Told[]>();
  const remember = (one: Told): void => {
    told.push(one);
    byLife.set(one.life, [...(byLife.get(one.life) ?? []), one]);
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { kind, said, answer } = readAsked({
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      });
      const one = { fate: fateOf() };
      if (said === undefined) return reply(response, answer, one);
      const entry: Told = { ...said, kind, epoch: epoch(), fate: one.fate };
      remember(entry);
      reply(response, answer, entry);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const smtp = await startSmtp(t, {
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const mail = Buffer.concat(chunks).toString();
        const key = /^Message-ID: <([^@]+)@/im.exec(mail)?.[1] ?? '';
        const title = /^Subject: (.*)$/im.exec(mail)?.[1] ?? '';
        const fate = fateOf();
        remember({ ...byTitle(title), message: key, key, kind: 'mail', epoch: epoch(), fate });
        if (fate !== 'silent') done(fate === 'taken' ? null : Object.assign(new Error('not now'), { responseCode: 451 }));
      });
    },
  });
  return {
    told,
    toldOf: (life) => byLife.get(life) ?? [],
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    smtpPort: smtp.port,
  };
}

/** The channels that lead there, one of each kind under its own name, in the configuration file's words. */
export const channelsTo = ({ url, smtpPort }: Pick<FaultyProviders, 'url' | 'smtpPort'>, more: object): readonly object[] =>
  [
    { id: 'webhook', kind: 'webhook', url: `${url}/webhook` },
    { id: 'pagerduty', kind: 'pagerduty', routing_key: 'R'.repeat(32), url: `${url}/pagerduty` },
    { id: 'slack', kind: 'slack', token: 'xoxb-1', channel: '#ops', api_url: `${url}/slack` },
    {
      id: 'sms',
      kind: 'sms',
      twilio: { account_sid: 'AC1', auth_token: 'a', api_url: `${url}/sms` },
      from: '+15550001',
      to: '+4930123456',
    },
    { id: 'mail', kind: 'email', host: '127.0.0.1', port: smtpPort, tls: 'none', from: 'nines@example.org', to: 'ops@example.org' },
  ].map((channel) => ({ ...channel, ...more }));
