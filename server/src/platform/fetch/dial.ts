/**
 * The only place of the server that opens connections, besides the libraries that are handed one from here. Each takes an address that
 * was judged, or a connection to one; `scripts/layers.ts` sees to it that nobody else imports what connects.
 */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { lookup, Resolver } from 'node:dns/promises';
import { type ClientRequest, type IncomingMessage, request, type RequestOptions } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { JudgedAddress } from './judge.ts';

/** One address, one connection, no race between families: that would hide an outage of one. */
export const openSocket = (to: { readonly address: JudgedAddress; readonly port: number }): Socket =>
  connect({ host: to.address, port: to.port, autoSelectFamily: false, noDelay: true });

/** Connected, so that only the peer's own packets arrive, and a closed port says so. */
export function openDatagrams(to: { readonly address: JudgedAddress; readonly port: number }): DatagramSocket {
  const socket = createSocket(isIP(to.address) === 6 ? 'udp6' : 'udp4');
  socket.connect(to.port, to.address);
  return socket;
}

/** TLS over a connection. */
export const secureSocket = (socket: Socket, options: Omit<ConnectionOptions, 'socket' | 'port' | 'path' | 'lookup'>): TLSSocket =>
  connectTls({ ...options, socket });

type Over = Omit<RequestOptions, 'agent' | 'createConnection' | 'socketPath' | 'lookup'>;

/** One HTTP request over a connection. */
export const requestOver = (socket: Socket, options: Over): ClientRequest => request({ ...options, createConnection: () => socket });

/** One HTTP request to a program of this machine, over its socket in the file system. */
export const requestOverFile = (socketPath: string, options: Over, onAnswer: (answer: IncomingMessage) => void): ClientRequest =>
  request({ ...options, agent: false, socketPath }, onAnswer);

/** HTTP/2 over a connection. */
export const http2Over = (socket: Socket, authority: string): ClientHttp2Session =>
  connectHttp2(authority, { createConnection: () => socket });

/** Asks the name servers of this machine. What they answer has yet to be judged. */
export const createResolver = (options: ConstructorParameters<typeof Resolver>[0]): Resolver => new Resolver(options);

/** Asks the system, which knows the hosts file besides. What it answers has yet to be judged. */
export const lookUp: typeof lookup = lookup;
