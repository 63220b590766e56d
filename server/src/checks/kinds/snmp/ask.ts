import { randomInt } from 'node:crypto';
import { messageOf } from '@nines/base/errors.ts';
import { type AttemptDeps, AttemptEnded, type AttemptRun } from '../../attempt.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down, judgeLength, matchesPart } from '../../evaluate.ts';
import { askUdp } from '../../udp.ts';
import { decodeResponse, encodeGet, type SnmpAnswer } from './message.ts';
import { partsOf } from '../../connect.ts';

/** Characters of a value that a failure tells. */
const MAX_VALUE_CHARS = 200;

/** Up when the object is there and its value fits. A wrong community is answered by silence. */
export async function askSnmp(spec: SpecOf<'snmp'>, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  const address = partsOf(spec.address);
  const question = { id: randomInt(2 ** 31 - 1), version: spec.version, community: spec.community.reveal(), oid: spec.oid };
  const read = (message: Buffer): SnmpAnswer | undefined => {
    try {
      return decodeResponse(message, question);
    } catch (thrown) {
      throw new AttemptEnded(down('bad_answer', `the answer of ${run.peer} cannot be read: ${messageOf(thrown)}`));
    }
  };
  const answer = await askUdp(run, { to: { spec, ...address }, datagram: { message: encodeGet(question), read } }, deps);
  run.leave();
  if (answer.kind === 'value' && answer.value !== undefined) run.figures.push({ name: 'probe_snmp_value', value: answer.value });
  return judgeSnmp(spec, answer) ?? judgeLength(spec.degraded_after, run.durationMs());
}

/** Why the value is not what was expected; undefined when it is. */
function judgeSnmp({ expect, oid }: SpecOf<'snmp'>, answer: SnmpAnswer): Outcome | undefined {
  if (answer.kind === 'absent') return down('absent', `the agent has no ${oid} (${answer.reason})`);
  if (answer.kind === 'refused') return down('refused', `the agent answered ${answer.reason}`);
  const { text, value } = answer;
  const shown = `${oid} is "${text.slice(0, MAX_VALUE_CHARS)}"`;
  const { equals, matches, min, max } = expect;
  if (equals !== undefined && !(typeof equals === 'number' ? value === equals : text === equals)) {
    return down('value', `${shown}, expected ${JSON.stringify(equals)}`);
  }
  if (matches !== undefined && !matchesPart(matches, text)) return down('value', `${shown}, expected a match of ${matches}`);
  if (min === undefined && max === undefined) return undefined;
  if (value === undefined) return down('value', `${shown}, expected a number`);
  if (min !== undefined && value < min) return down('value', `${shown}, expected at least ${min}`);
  if (max !== undefined && value > max) return down('value', `${shown}, expected at most ${max}`);
  return undefined;
}
