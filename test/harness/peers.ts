/** The other ends: a target that can be stopped and started on the same port, and a receiver that keeps what it got. */
import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { freePort } from './nines.ts';

export type Target = AsyncDisposable & {
  readonly port: number;
  readonly url: string;
  /** Closes the port and every connection; returns the instants just before and just after. */
  stop(): Promise<readonly [number, number]>;
  start(): Promise<readonly [number, number]>;
  answerWith(handler: (request: IncomingMessage, response: ServerResponse) => void): void;
};

export async function startTarget(): Promise<Target> {
  const port = await freePort();
  let handler = (_request: IncomingMessage, response: ServerResponse): void => void response.end('ok');
  let server: Server | undefined;
  const start = async (): Promise<readonly [number, number]> => {
    const before = Date.now();
    server = createServer((request, response) => handler(request, response));
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return [before, Date.now()];
  };
  const stop = async (): Promise<readonly [number, number]> => {
    const before = Date.now();
    const closing = server;
    server = undefined;
    if (closing !== undefined) {
      const closed = once(closing, 'close');
      closing.close();
      closing.closeAllConnections();
      await closed;
    }
    return [before, Date.now()];
  };
  await start();
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    start,
    stop,
    answerWith: (next) => {
      handler = next;
    },
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

/** Alertmanager's webhook payload, version 4. */
export type WebhookPayload = {
  readonly version: string;
  readonly groupKey: string;
  readonly status: 'firing' | 'resolved';
  readonly receiver: string;
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly commonLabels: Readonly<Record<string, string>>;
  readonly commonAnnotations: Readonly<Record<string, string>>;
  readonly externalURL: string;
  readonly truncatedAlerts: number;
  readonly alerts: readonly {
    readonly status: 'firing' | 'resolved';
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    readonly startsAt: string;
    readonly endsAt: string;
    readonly fingerprint: string;
    readonly generatorURL: string;
  }[];
};

export type Receiver = AsyncDisposable & {
  readonly url: string;
  readonly received: { readonly atMs: number; readonly headers: IncomingMessage['headers']; readonly payload: WebhookPayload }[];
  answerWith(status: number): void;
};

export async function startReceiver(): Promise<Receiver> {
  const received: Receiver['received'] = [];
  let status = 200;
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += String(chunk);
    });
    request.on('end', () => {
      if (status < 300) received.push({ atMs: Date.now(), headers: request.headers, payload: JSON.parse(text) as WebhookPayload });
      response.writeHead(status).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/alerts`,
    received,
    answerWith: (next) => {
      status = next;
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
