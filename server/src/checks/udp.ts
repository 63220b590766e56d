import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { type AttemptDeps, type AttemptRun, untilAborted } from './attempt.ts';
import { addressFor, type Peer } from './connect.ts';

/** One datagram, and what its answer is read with: undefined for what is no answer to it; it may throw. */
export type Datagram<T> = { readonly message: Buffer; readonly read: (answer: Buffer) => T | undefined };

/** Resolves, judges, sends once and waits for the answer: what is lost is lost, nothing is sent again. */
export async function askUdp<T>(
  run: AttemptRun,
  { to, datagram }: { readonly to: Peer & { readonly port: number }; readonly datagram: Datagram<T> },
  deps: AttemptDeps,
): Promise<T> {
  const address = await addressFor(run, to, deps);
  const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4');
  try {
    const answered = new Promise<T>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('message', (bytes) => {
        try {
          const answer = datagram.read(bytes);
          if (answer !== undefined) resolve(answer);
        } catch (thrown) {
          reject(thrown as Error);
        }
      });
    });
    // It may fail before anyone waits for it.
    answered.catch(() => {});
    // Connected, so that only the server's own packets arrive, and a closed port says so.
    socket.connect(to.port, address);
    await untilAborted(once(socket, 'connect'), run.signal);
    run.enter('processing');
    socket.send(datagram.message);
    return await untilAborted(answered, run.signal);
  } finally {
    socket.close();
  }
}
