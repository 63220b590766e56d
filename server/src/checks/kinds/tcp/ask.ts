import type { AttemptDeps, AttemptRun } from '../../attempt.ts';
import { connectTo } from '../../connect.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down, judgeLength } from '../../evaluate.ts';
import { splitAddress } from '../../written.ts';

/** Up when a connection is accepted; nothing is sent. */
export async function askTcp(spec: SpecOf<'tcp'>, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  const address = splitAddress(spec.address);
  if (address === undefined) return down('bad_address', `not an address: ${spec.address}`);
  const socket = await connectTo(run, { spec, ...address }, deps);
  socket.destroy();
  return judgeLength(spec.degraded_after, run.durationMs());
}
