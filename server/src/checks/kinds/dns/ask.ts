import { randomInt } from 'node:crypto';
import { getServers } from 'node:dns';
import { isIP } from 'node:net';
import { messageOf } from '@nines/base/errors.ts';
import { judgeNameServer } from '../../../platform/fetch/judge.ts';
import { type AttemptDeps, AttemptEnded, type AttemptRun } from '../../attempt.ts';
import { connectTo, peerOf } from '../../connect.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down, judgeLength, matchesPart, notAsked } from '../../evaluate.ts';
import { askUdp } from '../../udp.ts';
import { Wire } from '../../wire.ts';
import { splitAddress } from '../../written.ts';
import { decodeAnswer, type DnsAnswer, encodeQuestion, type Question, shortIpv6 } from './message.ts';

const DNS_PORT = 53;
/** Characters of the answer's values that a failure tells. */
const MAX_VALUES_CHARS = 300;

type Server = { readonly host: string; readonly port: number };
type Asking = { readonly spec: SpecOf<'dns'>; readonly server: Server; readonly question: Question };

/** One question, one answer; another over TCP when the first says that it did not fit. */
export async function askDns(spec: SpecOf<'dns'>, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  const server = serverOf(spec.server);
  if (server === undefined) return notAsked('no_name_server', 'this host has no name server; give the check one');
  const question = { id: randomInt(65_536), name: spec.query, type: spec.record, recursion: spec.recursion };
  // The name server of this host was chosen by whoever runs it, not by who made the check.
  const judged = spec.server === undefined ? { ...deps, judge: judgeNameServer } : deps;
  const asking = { spec, server, question };
  let answer = spec.transport === 'udp' ? await overUdp(asking, run, judged) : undefined;
  if (answer === undefined || answer.truncated) answer = await overTcp(asking, run, judged);
  run.leave();
  report(answer, run);
  return judgeDns(spec, answer) ?? judgeLength(spec.degraded_after, run.durationMs());
}

function serverOf(written: string | undefined): Server | undefined {
  if (written !== undefined) return splitAddress(written);
  const own = getServers()[0];
  return own === undefined ? undefined : isIP(own) === 0 ? splitAddress(own) : { host: own, port: DNS_PORT };
}

function overUdp({ spec, server, question }: Asking, run: AttemptRun, deps: AttemptDeps): Promise<DnsAnswer> {
  const read = (message: Buffer): DnsAnswer | undefined => decoded(message, question, run.peer);
  return askUdp(run, { to: { spec, ...server }, datagram: { message: encodeQuestion(question), read } }, deps);
}

async function overTcp({ spec, server, question }: Asking, run: AttemptRun, deps: AttemptDeps): Promise<DnsAnswer> {
  const socket = await connectTo(run, { spec, ...server }, deps);
  try {
    run.enter('processing');
    const message = encodeQuestion(question);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    const wire = new Wire(run, socket);
    wire.write(Buffer.concat([length, message]));
    const answer = decoded(await wire.bytes((await wire.bytes(2)).readUInt16BE(0)), question, run.peer);
    if (answer === undefined) throw new AttemptEnded(down('bad_answer', `${peerOf(server.host, server.port)} answered another question`));
    return answer;
  } finally {
    socket.destroy();
  }
}

function decoded(message: Buffer, question: Question, peer: string): DnsAnswer | undefined {
  try {
    return decodeAnswer(message, question);
  } catch (thrown) {
    throw new AttemptEnded(down('bad_answer', `the answer of ${peer} cannot be read: ${messageOf(thrown)}`));
  }
}

function report({ code, counts, serial }: DnsAnswer, run: AttemptRun): void {
  run.figures.push(
    { name: 'probe_dns_query_succeeded', value: code === 'NOERROR' ? 1 : 0 },
    { name: 'probe_dns_answer_rrs', value: counts.answer },
    { name: 'probe_dns_authority_rrs', value: counts.authority },
    { name: 'probe_dns_additional_rrs', value: counts.additional },
  );
  if (serial !== undefined) run.figures.push({ name: 'probe_dns_serial', value: serial });
  for (const phase of ['resolve', 'connect'] as const) {
    run.figures.push({ name: 'probe_dns_duration_seconds', value: (run.phases[phase] ?? 0) / 1000, labels: { phase } });
  }
  run.figures.push({ name: 'probe_dns_duration_seconds', value: (run.phases.processing ?? 0) / 1000, labels: { phase: 'request' } });
}

/** Why the answer is not what was expected; undefined when it is. */
export function judgeDns({ expect, record, query }: SpecOf<'dns'>, { code, values }: DnsAnswer): Outcome | undefined {
  if (code !== expect.code) return down('rcode', `${code} for ${record} of ${query}, expected ${expect.code}`);
  const got = new Set(values.map((value) => plain(value)));
  const shown = values.length === 0 ? `no ${record} record` : values.join(', ').slice(0, MAX_VALUES_CHARS);
  if (expect.values !== undefined) {
    const wanted = new Set(expect.values.map(plain));
    if (wanted.symmetricDifference(got).size > 0) return down('value', `got ${shown}, expected ${expect.values.join(', ') || 'none'}`);
  }
  const missing = expect.contains?.find((value) => !got.has(plain(value)));
  if (missing !== undefined) return down('value', `got ${shown}, expected ${missing} among them`);
  if (expect.matches !== undefined && !values.some((value) => matchesPart(expect.matches ?? '', value))) {
    return down('value', `got ${shown}, expected a match of ${expect.matches}`);
  }
  const bare = expect.values === undefined && expect.contains === undefined && expect.matches === undefined;
  if (bare && code === 'NOERROR' && values.length === 0) return down('value', `${query} has no ${record} record`);
  return undefined;
}

/** Values are compared without regard to case, the last dot and how an IPv6 address is written. */
const plain = (value: string): string => (isIP(value) === 6 ? shortIpv6(value) : value.toLowerCase().replace(/\.$/, ''));
