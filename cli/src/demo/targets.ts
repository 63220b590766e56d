import { once } from 'node:events';
import { type Server as HttpServer, createServer as createHttpServer } from 'node:http';
import { type AddressInfo, type Server as TcpServer, createServer as createTcpServer } from 'node:net';
import type { Clock } from '@nines/base/clock.ts';

/** What a service of the demo does: answers, answers late, or is gone (connections are refused). */
export type Mode = { readonly kind: 'well' } | { readonly kind: 'slow'; readonly byMs: number } | { readonly kind: 'gone' };

export type Target = AsyncDisposable & {
  readonly port: number;
  turn(mode: Mode): Promise<void>;
};

/** Answers `ok` over HTTP, after about `usualMs`. */
export async function startHttpTarget(clock: Pick<Clock, 'after'>, usualMs: number): Promise<Target> {
  let delayMs = usualMs;
  const server = createHttpServer((_request, response) => {
    clock.after(delayMs, () => response.writeHead(200, { 'content-type': 'text/plain' }).end('ok\n'));
  });
  return startTarget(server, (mode) => {
    delayMs = mode.kind === 'slow' ? mode.byMs : usualMs;
  });
}

/** Accepts connections, as a database does. */
export async function startTcpTarget(): Promise<Target> {
  return startTarget(
    createTcpServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.end();
    }),
    () => {},
  );
}

async function startTarget(server: HttpServer | TcpServer, tune: (mode: Mode) => void): Promise<Target> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    if ('closeAllConnections' in server) server.closeAllConnections();
    await closed;
  };
  return {
    port,
    async turn(mode) {
      tune(mode);
      if (mode.kind === 'gone') await close();
      else if (!server.listening) {
        server.listen(port, '127.0.0.1');
        await once(server, 'listening');
      }
    },
    [Symbol.asyncDispose]: close,
  };
}
