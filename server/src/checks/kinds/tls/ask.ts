import type { AttemptDeps, AttemptRun } from '../../attempt.ts';
import { connectTo, partsOf } from '../../connect.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { judgeCertificate, judgeLength } from '../../evaluate.ts';
import { shakeHands } from '../../tls.ts';

/** Up when the handshake ends with a certificate that is valid, for this host, and for long enough. */
export async function askTls(spec: SpecOf<'tls'>, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  const address = partsOf(spec.address);
  const plain = await connectTo(run, { spec, ...address }, deps);
  try {
    const { socket, certificateExpiresAtMs } = await shakeHands(run, { socket: plain, host: address.host, tls: spec.tls });
    const version = (socket.getProtocol() ?? '').replace('v', ' ');
    run.figures.push({ name: 'probe_tls_version_info', value: 1, labels: { version } });
    return (
      judgeCertificate(spec.certificate_valid_for, { nowMs: deps.clock.now(), untilMs: certificateExpiresAtMs }) ??
      judgeLength(spec.degraded_after, run.durationMs())
    );
  } finally {
    plain.destroy();
  }
}
