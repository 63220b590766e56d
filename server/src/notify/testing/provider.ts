import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { silentLogger } from '../../../../test/harness/logs.ts';
import { realClock } from '../../platform/clock.ts';
import { runProgram } from '../../platform/programs.ts';
import { createOutbound } from '../../platform/fetch/outbound.ts';
import { type OpenChannel, openChannels } from '../channels.ts';
import { channelsConfig } from '../config.ts';
import type { Attempt, Channel, Delivery, MessageAlert } from '../contract.ts';
import type { ChannelDeps } from '../kind.ts';
import { createVapidKey } from '../webpush/encrypt.ts';
import { testMessage } from '../test-message.ts';

export type Got = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly json: never;
};
export type Provider = {
  /** Without a trailing slash. */
  readonly url: string;
  readonly got: Got[];
  /** What it answers from now on. */
  answer: (response: ServerResponse, got: Got) => void;
};

/** A provider on this host that remembers what it was sent. */
export async function startProvider(t: TestContext): Promise<Provider> {
  const got: Got[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const one: Got = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body,
        json: parsed(body) as never,
      };
      got.push(one);
      provider.answer(response, one);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const provider: Provider = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    got,
    answer: (response) => void response.end('{}'),
  };
  return provider;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const EXTERNAL_URL = 'http://nines.example';

/** One channel as the configuration file would declare it, on the real clock and the real way out. */
export function openOne(t: TestContext, fields: Record<string, unknown>, deps: Partial<ChannelDeps> = {}): Channel {
  const outbound = createOutbound({ clock: realClock });
  t.after(() => outbound[Symbol.asyncDispose]());
  const all: ChannelDeps = {
    clock: realClock,
    logger: silentLogger,
    request: (url, options) => outbound.request(url, options),
    connect: (to, options) => outbound.connect(to, options),
    run: runProgram,
    write: () => undefined,
    bus: { publish: () => undefined },
    push: { key: createVapidKey(), of: async () => [], remove: async () => undefined },
    externalUrl: EXTERNAL_URL,
    ...deps,
  };
  const opened: OpenChannel | undefined = openChannels(channelsConfig.parse([{ id: 'ch', ...fields }]), all).get('ch');
  if (opened === undefined) throw new Error('the channel was not opened');
  return opened.channel;
}

export const alertOf = (over: Partial<MessageAlert> = {}): MessageAlert => ({
  id: 'a1',
  status: 'firing',
  labels: { alertname: 'HighCpu', severity: 'critical', instance: 'web-1', service: 'shop' },
  annotations: { summary: 'CPU is at 97 %' },
  startsAt: '2026-01-01T00:00:00Z',
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: `${EXTERNAL_URL}/alerts-dashboard?alert=a1`,
  fingerprint: 'f1',
  ...over,
});

/** A message about these alerts, and an attempt to send it. */
export function attemptOf(alerts: readonly MessageAlert[] = [alertOf()], over: Partial<Attempt> = {}): Attempt {
  const message = testMessage({ channel: 'ch', by: 'anne', atMs: 1_760_000_000_000, externalUrl: EXTERNAL_URL });
  const status = alerts.some((alert) => alert.status === 'firing') ? 'firing' : 'resolved';
  return {
    message: { ...message, status, alerts, groupLabels: { alertname: 'HighCpu', service: 'shop' }, commonLabels: alerts[0]?.labels ?? {} },
    idempotencyKey: '7b1d6c2e-0000-4000-8000-000000000001',
    reason: status === 'firing' ? 'fired' : 'resolved',
    cause: 'first notification',
    signal: new AbortController().signal,
    acknowledgeUrl: ({ id }) => `${EXTERNAL_URL}/acknowledge/${id}`,
    ...over,
  };
}

/** Labels and annotations that try to be more than text. */
export const HOSTILE = alertOf({
  labels: {
    alertname: '<script>alert(1)</script>',
    severity: 'critical',
    markup: '*bold* _it_ `code` <!channel> <@U1> @everyone [x](http://evil.example) &amp; "quoted"',
    control: 'bell\u0007 escape\u001b[31mred nul\u0000 override\u202ecod.exe',
    template: '{{ .Labels.severity }} {{ template "x" }} ${7*7} %s',
  },
  annotations: { summary: 'line one\r\nBcc: evil@example.org', description: `${'m'.repeat(1_000_000)}👍` },
});

export const failureOf = (delivery: Delivery): Extract<Delivery, { kind: 'failed' }> => {
  if (delivery.kind !== 'failed') throw new Error(`it was delivered: ${delivery.receipt}`);
  return delivery;
};
