import { type Regex, compileRegex } from './regex.ts';
import { type Result, err, ok } from './result.ts';

/** A label matcher as Prometheus has it. A missing label counts as the empty text. Regular expressions are anchored. */
export type MatchOp = '=' | '!=' | '=~' | '!~';
export type Matcher = {
  readonly name: string;
  readonly op: MatchOp;
  readonly value: string;
  readonly matches: (value: string) => boolean;
  /** Present for `=~` and `!~`. */
  readonly regex?: Regex;
};

export function matcher(name: string, op: MatchOp, value: string): Result<Matcher, string> {
  if (op === '=') return ok({ name, op, value, matches: (text) => text === value });
  if (op === '!=') return ok({ name, op, value, matches: (text) => text !== value });
  const regex = compileRegex(value);
  if (!regex.ok) return err(regex.error);
  const { matchesWhole } = regex.value;
  return ok({ name, op, value, regex: regex.value, matches: op === '=~' ? matchesWhole : (text) => !matchesWhole(text) });
}

/** For matchers written in code, where a bad one is a fault of the code. */
export function mustMatcher(name: string, op: MatchOp, value: string): Matcher {
  const made = matcher(name, op, value);
  if (!made.ok) throw new Error(`BUG: ${made.error}`);
  return made.value;
}
