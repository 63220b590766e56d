import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Nines, startNines } from '../harness/nines.ts';
import { type Prometheus, startPrometheus } from '../harness/prometheus.ts';
import { type Answer, ask } from './differential/answers.ts';
import { Expressions, textOf } from './differential/expressions.ts';
import { type Random, randomFrom } from './differential/random.ts';

/** What is PromQL and what is not, and where the first error stands: ours beside a real Prometheus', on broken expressions. */
const SEED = Number(process.env['NINES_SEED'] ?? 2_042);
const TEXTS = process.env['NINES_FULL'] === '1' ? 20_000 : 600;
const PARALLEL = 6;

/** What Prometheus 3 takes and 2.42 does not, by what 2.42 says about it and in which query. */
const NEWER: readonly (readonly [RegExp, string])[] = [
  [
    /duration|unexpected colon|in subquery or range, expected/,
    'durations are numbers and numbers durations, with arithmetic, since 3.0 and 3.4',
  ],
  [/unexpected string ".*" in (label matching|grouping opts)/, 'names may be quoted since 3.0'],
  [
    /unexpected <without> in grouping opts|unexpected number "(?:Inf|NaN)" in grouping opts/i,
    'any word is a label where only labels can be',
  ],
  [/unexpected "\(" in .*\b(start|end)\b|in offset, expected/s, 'start and end are functions, offsets take parentheses, since 3.4'],
];

const TOKEN = /"[^"]*"|[a-zA-Z_:][\w:]*|[\d.]+[a-z]*|==|!=|=~|!~|<=|>=|\S/g;
const SOUP = (
  'sum rate by on bool group_left ignoring offset @ ( ) { } [ ] , : = != =~ !~ == + - * ^ < and or up job "a" 5m 1 "é" without atan2 ' +
  'count_values unless topk 1h30m 0x1f .5 abs'
).split(' ');

/** One or two tokens gone, new, other or twice. */
function broken(text: string, random: Random): string {
  const tokens = [...(text.match(TOKEN) ?? [])];
  for (let n = 1 + random.below(2); n > 0; n--) {
    const at = random.below(tokens.length);
    const other = random.chance(0.8) ? random.pick(SOUP) : random.pick(tokens);
    tokens.splice(at, random.below(2), ...(random.chance(0.7) ? [other] : []));
    if (tokens.length === 0) tokens.push(other);
  }
  return tokens.join(random.chance(0.8) ? ' ' : '\n');
}

let nines: Nines;
let prometheus: Prometheus;
before(async () => {
  [nines, prometheus] = await Promise.all([startNines(), startPrometheus()]);
});
after(async () => {
  await nines?.[Symbol.asyncDispose]();
  await prometheus?.[Symbol.asyncDispose]();
});

const verdict = ({ status, error = '' }: Answer): string =>
  status === 'success' ? 'taken' : (/\d+:\d+(?=: parse error)/.exec(error)?.[0] ?? error);

test(`${TEXTS} broken expressions are taken or refused at the same place (seed ${SEED})`, async () => {
  const random = randomFrom(SEED);
  const expressions = new Expressions(random, 1_700_000_000);
  const texts = Array.from({ length: TEXTS }, () => {
    if (random.chance(0.15)) return Array.from({ length: 1 + random.below(7) }, () => random.pick(SOUP)).join(' ');
    const whole = textOf(expressions.any(1 + random.below(3)));
    return random.chance(0.1) ? whole : broken(whole, random);
  });
  const differences: string[] = [];
  let [next, refused, newer] = [0, 0, 0];
  const worker = async (): Promise<void> => {
    for (let query = texts[next++]; query !== undefined; query = texts[next++]) {
      const [ours, theirs] = await Promise.all(
        [nines.base, prometheus.base].map((base) => ask(base, 'format_query', { query: query ?? '' })),
      );
      assert.ok(ours !== undefined && theirs !== undefined);
      if (theirs.status === 'error') refused++;
      if (verdict(ours) === verdict(theirs)) continue;
      const said = (theirs.error ?? '').replace('invalid parameter "query": ', '');
      if (NEWER.some(([pattern]) => pattern.test(`${said} in ${query}`))) newer++;
      else differences.push(`${JSON.stringify(query)}\n  ours: ${ours.error ?? 'taken'}\n  theirs: ${theirs.error ?? 'taken'}`);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  assert.deepEqual(differences, []);
  // Both kinds must be among them for the comparison to say anything.
  assert.ok(refused > TEXTS / 3 && refused < TEXTS * 0.95 && newer < TEXTS / 10, `${refused} refused, ${newer} newer`);
});
