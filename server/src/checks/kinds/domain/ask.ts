import { formatDuration } from '@nines/base/duration.ts';
import type { AttemptDeps, AttemptRun } from '../../attempt.ts';
import { connectTo } from '../../connect.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down, judgeLength, notAsked } from '../../evaluate.ts';
import { Wire } from '../../wire.ts';
import { splitAddress } from '../../written.ts';
import { readWhois, referralOf } from './whois.ts';

const IANA = { host: 'whois.iana.org', port: 43 } as const;
const WHOIS_PORT = 43;

type Server = { readonly host: string; readonly port: number };

/** Degraded when the registration ends soon, down when it has ended or there is none. */
export async function askDomain(spec: SpecOf<'domain'>, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  const asked = async (server: Server, question: string): Promise<string> => {
    const socket = await connectTo(run, { spec, ...server }, deps);
    try {
      run.enter('processing');
      const wire = new Wire(run, socket);
      wire.write(`${question}\r\n`);
      return (await wire.toEnd()).toString('utf8');
    } finally {
      run.leave();
      socket.destroy();
    }
  };
  let server = spec.whois === undefined ? undefined : splitAddress(spec.whois);
  if (server === undefined) {
    const host = referralOf(await asked(IANA, spec.domain.split('.').at(-1) ?? ''));
    if (host === undefined) return notAsked('no_registry', `IANA names no WHOIS server for ${spec.domain}; give the check one`);
    server = { host, port: WHOIS_PORT };
  }
  const found = readWhois(await asked(server, spec.domain));
  if (found.kind === 'unregistered') return down('not_registered', `${spec.domain} is not registered: "${found.line}"`);
  if (found.kind === 'silent') return notAsked('no_expiry', `${run.peer} does not tell when ${spec.domain} ends`);
  run.figures.push({ name: 'probe_domain_expiry_timestamp_seconds', value: found.endsAtMs / 1000 });
  const leftMs = found.endsAtMs - deps.clock.now();
  if (leftMs <= 0) return down('expired', `the registration of ${spec.domain} ended at ${new Date(found.endsAtMs).toISOString()}`);
  if (leftMs >= spec.valid_for) return judgeLength(spec.degraded_after, run.durationMs());
  const detail = `the registration of ${spec.domain} ends in ${formatDuration(leftMs)}, expected ${formatDuration(spec.valid_for)}`;
  return { kind: 'degraded', code: 'domain_expiry', detail };
}
