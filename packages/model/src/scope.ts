import { literalPattern } from '@nines/base/glob.ts';
import { type Matcher, mustMatcher } from '@nines/base/matcher.ts';
import { formatMatcher, parseMatchers } from '@nines/base/matcher-text.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import { type Labels, labelsFrom, labelsToRecord, labelPairs } from './labels.ts';
import { FULL_SCOPE, type Scope } from './storage.ts';

/** Labels by name, of a series, a service, an alert. */
type LabelRecord = Readonly<Record<string, string | undefined>>;

/** The label that says whose something is. */
export const TEAM_LABEL = 'team';

/** What nothing satisfies. It stands where a scope cannot be read: nothing is open by accident. */
export const NOTHING: Scope = { matchers: [mustMatcher(TEAM_LABEL, '=', ''), mustMatcher(TEAM_LABEL, '!=', '')] };

/** Whether something with these labels may be seen. A missing label counts as the empty text, as in PromQL. */
export function visible({ matchers }: Scope, labels: LabelRecord): boolean {
  for (const { name, matches } of matchers) if (!matches(Object.hasOwn(labels, name) ? (labels[name] ?? '') : '')) return false;
  return true;
}

export const isFull = ({ matchers }: Scope): boolean => matchers.length === 0;

/** What is seen by somebody who belongs to any of the teams; without a team everything. */
export function scopeOfTeams(teams: readonly string[]): Scope {
  const [only, ...others] = teams;
  if (only === undefined) return FULL_SCOPE;
  if (others.length === 0) return { matchers: [mustMatcher(TEAM_LABEL, '=', only)] };
  return { matchers: [mustMatcher(TEAM_LABEL, '=~', teams.map(literalPattern).join('|'))] };
}

/** What carries all of these labels. */
export const scopeOfLabels = (labels: Readonly<Record<string, string>>): Scope => ({
  matchers: Object.entries(labels).map(([name, value]) => mustMatcher(name, '=', value)),
});

/** What all of the scopes show. */
export function narrowed(...scopes: readonly Scope[]): Scope {
  const matchers = scopes.flatMap((scope) => scope.matchers);
  return matchers.length === 0 ? FULL_SCOPE : { matchers };
}

/** Whether matchers of a silence could hold for something that is seen; where that cannot be told they could. */
export function canMeet({ matchers: seen }: Scope, matchers: readonly Matcher[]): boolean {
  const agree = (one: readonly Matcher[], other: readonly Matcher[]): boolean =>
    one.every(({ name, op, value }) => op !== '=' || other.every((matcher) => matcher.name !== name || matcher.matches(value)));
  return agree(seen, matchers) && agree(matchers, seen);
}

const isSame = (one: Matcher, other: Matcher): boolean => one.name === other.name && one.op === other.op && one.value === other.value;

/** Whether what these matchers select is seen whole, because they say all that the scope says. */
export const isWithin = ({ matchers: seen }: Scope, matchers: readonly Matcher[]): boolean =>
  seen.every((one) => matchers.some((other) => isSame(one, other)));

/** The matchers with those of the scope that are not among them. */
export const within = ({ matchers: seen }: Scope, matchers: readonly Matcher[]): readonly Matcher[] => [
  ...matchers,
  ...seen.filter((one) => !matchers.some((other) => isSame(one, other))),
];

/**
 * The labels of something that is sent by whoever has this scope: those that it demands by `=` are added where they are absent, and the
 * rest must hold. The refusal says which label is at fault.
 */
export function entering({ matchers }: Scope, labels: Labels): Result<Labels, string> {
  const own = labelsToRecord(labels);
  const added: [string, string][] = [];
  for (const matcher of matchers) {
    const { name, op, value } = matcher;
    const sent = own[name] ?? '';
    if (matcher.matches(sent)) continue;
    if (op !== '=' || sent !== '' || value === '')
      return err(
        `the label ${name} is ${sent === '' ? 'missing' : JSON.stringify(sent)}, and this sender writes only ${formatMatcher(matcher)}`,
      );
    own[name] = value;
    added.push([name, value]);
  }
  if (added.length === 0) return ok(labels);
  // Matchers before the one that added a label have not seen it.
  return visible({ matchers }, own)
    ? ok(labelsFrom([...labelPairs(labels), ...added]))
    : err('no labels satisfy all that this sender may write');
}

/** `team="shop", env=~"prod|stage"`; the empty text is everything. The error says what is wrong with it. */
export function parseScope(text: string): Result<Scope, string> {
  const inner = text.trim().replace(/^\{(.*)\}$/s, '$1');
  if (inner.trim() === '') return ok(FULL_SCOPE);
  const parsed = parseMatchers(inner);
  return parsed.ok ? ok({ matchers: parsed.value }) : err(parsed.error);
}

/** As `parseScope` reads it. */
export const formatScope = ({ matchers }: Scope): string => matchers.map(formatMatcher).join(', ');
