import { RE2JS } from 're2js';
import { messageOf } from './errors.ts';
import { type Result, err, ok } from './result.ts';

/**
 * Regular expressions from users, in RE2 syntax and linear time. A user's pattern never reaches V8's engine, where
 * `^(?:(a+)+b)$` over 26 characters takes seconds.
 */
export type Regex = {
  readonly source: string;
  /** Whether the whole text matches (anchored on both ends, dot matches newline), as label matchers want it. */
  readonly matchesWhole: (text: string) => boolean;
  /** Whether any part of the text matches. */
  readonly matchesPart: (text: string) => boolean;
  /** For `label_replace` and relabelling: the groups of a whole match, or undefined. */
  readonly groups: (text: string) => RegexGroups | undefined;
  /** Every match, left to right without overlap, replaced by what `replacement` makes of its groups (index 0 the match). */
  replaceEach(text: string, replacement: (byIndex: RegexGroups['byIndex'], byName: RegexGroups['byName']) => string): string;
  /** The finite set of texts that can match wholly, when the pattern is a plain alternation of literals; otherwise undefined. */
  readonly literals: readonly string[] | undefined;
};

/** The groups of a match. Index 0 is the whole of it; absent groups are ''. */
export type RegexGroups = { readonly byIndex: readonly string[]; readonly byName: ReadonlyMap<string, string> };

/** Longest pattern taken, in characters. Enough for a thousand names joined by bars. */
export const MAX_PATTERN_LENGTH = 32_768;

const SPECIAL = /[\\^$.|?*+()[\]{}]/;

export function compileRegex(source: string): Result<Regex, string> {
  if (source.length > MAX_PATTERN_LENGTH) return err(`regular expression longer than ${MAX_PATTERN_LENGTH} characters`);
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(source, RE2JS.DOTALL);
  } catch (thrown) {
    return err(`invalid regular expression "${source}": ${messageOf(thrown)}`);
  }
  const literals = literalsOf(source);
  const literalSet = literals === undefined ? undefined : new Set(literals);
  const prefix = prefixOf(source);
  const any = source === '.*';
  return ok({
    source,
    literals,
    matchesWhole: (text) => {
      if (any) return true;
      if (literalSet !== undefined) return literalSet.has(text);
      if (prefix !== undefined) return text.startsWith(prefix.text) && (prefix.more === 0 || text.length > prefix.text.length);
      return compiled.matches(text);
    },
    matchesPart: (text) => compiled.matcher(text).find(),
    groups: (text) => {
      const matcher = compiled.matcher(text);
      if (!matcher.matches()) return undefined;
      return groupsOf(compiled, matcher);
    },
    replaceEach: (text, replacement) => {
      const matcher = compiled.matcher(text);
      let done = '';
      let at = 0;
      while (matcher.find()) {
        const { byIndex, byName } = groupsOf(compiled, matcher);
        done += text.slice(at, matcher.start()) + replacement(byIndex, byName);
        at = matcher.end();
      }
      return done + text.slice(at);
    },
  });
}

function groupsOf(compiled: RE2JS, matcher: ReturnType<RE2JS['matcher']>): RegexGroups {
  const byIndex = Array.from({ length: matcher.groupCount() + 1 }, (_, i) => matcher.group(i) ?? '');
  const byName = new Map(Object.entries(compiled.namedGroups()).map(([name, index]) => [name, byIndex[index as number] ?? '']));
  return { byIndex, byName };
}

/** `a|b|c` or `(a|b)` without any operator inside. */
function literalsOf(source: string): readonly string[] | undefined {
  const grouped = /^\((?:\?:)?([^()]*)\)$/.exec(source)?.[1];
  const parts = (grouped ?? source).split('|');
  return parts.every((part) => !SPECIAL.test(part)) ? parts : undefined;
}

/** `literal.*` (more = 0) and `literal.+` (more = 1). */
function prefixOf(source: string): { readonly text: string; readonly more: 0 | 1 } | undefined {
  const text = source.slice(0, -2);
  if (SPECIAL.test(text)) return undefined;
  if (source.endsWith('.*')) return { text, more: 0 };
  if (source.endsWith('.+')) return { text, more: 1 };
  return undefined;
}
