import { type Socket as UdpSocket, createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type Server, type Socket, createServer, isIPv6 } from 'node:net';
import { messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { MAX_STATSD_LINE_CHARS } from '@nines/model/statsd-lines.ts';

/** Where StatsD's lines come in. Nothing is answered; whoever sends too much is not heard. */
export type Listen = { readonly host: string; readonly port: number };

/** Connections over TCP at a time. */
const MAX_CONNECTIONS = 64;

/** Datagrams of lines. Throws when the address cannot be had. */
export async function listenUdp(at: Listen, { logger, onText }: Deps): Promise<Listening> {
  const socket: UdpSocket = createSocket({ type: isIPv6(at.host) ? 'udp6' : 'udp4' });
  socket.bind(at.port, at.host);
  await once(socket, 'listening');
  socket.on('message', (bytes) => onText(bytes.toString('utf8')));
  socket.on('error', (thrown) => logger.error('StatsD over UDP failed', { error: messageOf(thrown) }));
  return {
    port: socket.address().port,
    [Symbol.asyncDispose]: async () => {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}

/** Lines over connections. Throws when the address cannot be had. */
export async function listenTcp(at: Listen, deps: Deps): Promise<Listening> {
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    readLines(socket, deps);
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(at.port, at.host);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: address === null || typeof address === 'string' ? at.port : address.port,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

export type Deps = { readonly logger: Logger; readonly onText: (text: string) => void };
export type Listening = AsyncDisposable & { readonly port: number };

function readLines(socket: Socket, { onText }: Deps): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk) => {
    const text = rest + String(chunk);
    const end = text.lastIndexOf('\n');
    rest = text.slice(end + 1);
    if (end >= 0) onText(text.slice(0, end));
    // A line without an end is told as the malformed one it is.
    if (rest.length <= MAX_STATSD_LINE_CHARS) return;
    onText(rest);
    socket.destroy();
  });
  socket.on('end', () => {
    if (rest !== '') onText(rest);
  });
  socket.on('error', () => socket.destroy());
}
