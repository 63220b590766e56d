import { formatDuration } from '@nines/base/duration.ts';
import { messageOf } from '@nines/base/errors.ts';
import { type AttemptDeps, AttemptEnded, type AttemptRun } from '../../attempt.ts';
import { connectTo } from '../../connect.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down, judgeLength, notAsked } from '../../evaluate.ts';
import { Wire } from '../../wire.ts';
import { splitAddress } from '../../written.ts';
import { exchange } from '../http/ask.ts';
import { BOOTSTRAP_URL, readRdap, serverOf } from './rdap.ts';
import { readWhois, referralOf, type Registration } from './whois.ts';

const IANA = { host: 'whois.iana.org', port: 43 } as const;
const WHOIS_PORT = 43;

type Spec = SpecOf<'domain'>;
type Server = { readonly host: string; readonly port: number };

/** Degraded when the registration ends soon, down when it has ended or there is none. */
export async function askDomain(spec: Spec, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  const found = await registrationOf(spec, run, deps);
  if (found.kind === 'unregistered') return down('not_registered', `${spec.domain} is not registered: "${found.line}"`);
  if (found.kind === 'silent') return notAsked('no_expiry', `${run.peer} does not tell when ${spec.domain} ends`);
  run.figures.push({ name: 'probe_domain_expiry_timestamp_seconds', value: found.endsAtMs / 1000 });
  const leftMs = found.endsAtMs - deps.clock.now();
  if (leftMs <= 0) return down('expired', `the registration of ${spec.domain} ended at ${new Date(found.endsAtMs).toISOString()}`);
  if (leftMs >= spec.valid_for) return judgeLength(spec.degraded_after, run.durationMs());
  const detail = `the registration of ${spec.domain} ends in ${formatDuration(leftMs)}, expected ${formatDuration(spec.valid_for)}`;
  return { kind: 'degraded', code: 'domain_expiry', detail };
}

/** By the server that is written; else by the RDAP server that IANA lists, and where it lists none by the WHOIS server it refers to. */
async function registrationOf(spec: Spec, run: AttemptRun, deps: AttemptDeps): Promise<Registration> {
  if (spec.rdap !== undefined) return byRdap(spec.rdap, { spec, run, deps });
  const written = spec.whois === undefined ? undefined : splitAddress(spec.whois);
  if (written !== undefined) return readWhois(await askWhois(written, spec.domain, { spec, run, deps }));
  const listed = serverOf(await ofIana(() => get(BOOTSTRAP_URL, { spec, run, deps }).then(({ body }) => body), run), spec.domain);
  if (listed !== undefined) return byRdap(listed, { spec, run, deps });
  const top = spec.domain.split('.').at(-1) ?? '';
  const host = referralOf(await ofIana(() => askWhois(IANA, top, { spec, run, deps }), run));
  if (host !== undefined) return readWhois(await askWhois({ host, port: WHOIS_PORT }, spec.domain, { spec, run, deps }));
  throw new AttemptEnded(notAsked('no_registry', `IANA names no server for ${spec.domain}; give the check one (rdap, whois)`));
}

type Asking = { readonly spec: Spec; readonly run: AttemptRun; readonly deps: AttemptDeps };

/** That IANA cannot be asked says nothing about the domain. */
async function ofIana(ask: () => Promise<string>, run: AttemptRun): Promise<string> {
  try {
    return await ask();
  } catch (thrown) {
    if (run.signal.aborted && !(run.signal.reason instanceof AttemptEnded)) throw thrown;
    const why = thrown instanceof AttemptEnded && thrown.outcome.kind !== 'up' ? thrown.outcome.detail : messageOf(thrown);
    throw new AttemptEnded(notAsked('no_registry', `IANA cannot be asked who answers (${why}); give the check a server (rdap, whois)`));
  }
}

async function askWhois(server: Server, question: string, { spec, run, deps }: Asking): Promise<string> {
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
}

async function get(url: string, { spec, run, deps }: Asking): Promise<{ readonly statusCode: number; readonly body: string }> {
  const hop = { url: new URL(url), method: 'GET', body: undefined, headers: { accept: 'application/rdap+json, application/json' } };
  const { answer } = await exchange({ ...spec, tls: spec.tls }, { run, hop, deps });
  return answer;
}

async function byRdap(base: string, asking: Asking): Promise<Registration> {
  const url = `${base.replace(/\/$/, '')}/domain/${asking.spec.domain.toLowerCase()}`;
  const answer = await get(url, asking);
  const read = readRdap(answer);
  if (read !== undefined) return read;
  if (answer.statusCode === 429) throw new AttemptEnded(notAsked('rate_limited', `${asking.run.peer} is asked too often`));
  throw new AttemptEnded(down('bad_answer', `${asking.run.peer} does not answer as RFC 9083 says: status ${answer.statusCode}`));
}
