import { once } from 'node:events';
import { isIP, type Socket } from 'node:net';
import { openSocket } from '../platform/fetch/dial.ts';
import type { JudgedAddress } from '../platform/fetch/judge.ts';
import { type AttemptDeps, AttemptEnded, type AttemptRun, untilAborted } from './attempt.ts';
import type { CheckSpec } from './contract.ts';
import { down, notAsked } from './evaluate.ts';
import { splitAddress } from './written.ts';

export const peerOf = (address: string, port: number): string => (isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`);

/** The parts of a written `host:port`. Ends the attempt when it is none, which is refused when it is written. */
export function partsOf(address: string): { readonly host: string; readonly port: number } {
  const parts = splitAddress(address);
  if (parts === undefined) throw new AttemptEnded(down('bad_address', `not an address: ${address}`));
  return parts;
}

/** Who chose the target, and over which family it is asked. */
type Asked = Pick<CheckSpec, 'trust'> & { readonly ip_version?: 4 | 6 | undefined };

/** Who is to be asked; `port` is named in messages only. */
export type Peer = { readonly spec: Asked; readonly host: string; readonly port?: number };

/** Resolves and judges: the one address that may be asked. Ends the attempt when it may not. */
export async function addressFor(run: AttemptRun, { spec, host, port }: Peer, deps: AttemptDeps): Promise<JudgedAddress> {
  const named = (address: string): string => (port === undefined ? address : peerOf(address, port));
  run.peer = named(host);
  run.enter('resolve');
  const address = isIP(host) === 0 ? await deps.resolve(host, { ipVersion: spec.ip_version, signal: run.signal }) : host;
  const judgement = deps.judge(address, spec.trust, host);
  // We did not ask, so nothing was seen: neither up nor down.
  if (!judgement.allowed) throw new AttemptEnded(notAsked('refused_address', judgement.reason));
  run.peer = named(address);
  run.address = run.peer;
  return judgement.address;
}

/**
 * Resolves, judges and connects: one address, one connection, no race between families (that would hide an outage of one). The
 * socket is the caller's to destroy; it is destroyed here when the attempt ends before it is connected.
 */
export async function connectTo(run: AttemptRun, to: Peer & { readonly port: number }, deps: AttemptDeps): Promise<Socket> {
  const address = await addressFor(run, to, deps);
  const { port } = to;
  run.enter('connect');
  const socket = openSocket({ address, port });
  // Errors after the attempt ended have nobody left to tell.
  socket.on('error', () => {});
  try {
    await untilAborted(once(socket, 'connect'), run.signal);
  } catch (thrown) {
    socket.destroy();
    throw thrown;
  }
  run.leave();
  return socket;
}
