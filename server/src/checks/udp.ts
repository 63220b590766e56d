import { once } from 'node:events';
import { openDatagrams } from '../platform/fetch/dial.ts';
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
  const socket = openDatagrams({ address, port: to.port });
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
    await untilAborted(once(socket, 'connect'), run.signal);
    run.enter('processing');
    socket.send(datagram.message);
    return await untilAborted(answered, run.signal);
  } finally {
    socket.close();
  }
}
