import type { AttemptDeps, AttemptRun } from '../../attempt.ts';
import { connectTo, partsOf } from '../../connect.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { judgeLength } from '../../evaluate.ts';

/** Up when a connection is accepted; nothing is sent. */
export async function askTcp(spec: SpecOf<'tcp'>, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  const address = partsOf(spec.address);
  const socket = await connectTo(run, { spec, ...address }, deps);
  socket.destroy();
  return judgeLength(spec.degraded_after, run.durationMs());
}
