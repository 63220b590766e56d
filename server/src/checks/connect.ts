import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { type AttemptDeps, AttemptEnded, type AttemptRun, untilAborted } from './attempt.ts';
import type { CheckSpec } from './contract.ts';
import { notAsked } from './evaluate.ts';

const peerOf = (address: string, port: number): string => (isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`);

/**
 * Resolves, judges and connects: one address, one connection, no race between families (that would hide an outage of one). The
 * socket is the caller's to destroy; it is destroyed here when the attempt ends before it is connected.
 */
export async function connectTo(
  run: AttemptRun,
  to: { readonly spec: CheckSpec; readonly host: string; readonly port: number },
  deps: AttemptDeps,
): Promise<Socket> {
  const { spec, host, port } = to;
  run.peer = peerOf(host, port);
  run.enter('resolve');
  const address = isIP(host) === 0 ? await deps.resolve(host, { ipVersion: spec.ip_version, signal: run.signal }) : host;
  const judgement = deps.judge(address, spec.trust);
  // We did not ask, so nothing was seen: neither up nor down.
  if (!judgement.allowed) throw new AttemptEnded(notAsked('refused_address', judgement.reason));
  run.peer = peerOf(address, port);
  run.enter('connect');
  const socket = connect({ host: address, port, autoSelectFamily: false, noDelay: true });
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
