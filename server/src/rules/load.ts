import { globSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { messageOf } from '@nines/base/errors.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { readTextFile } from '../platform/config/read-text.ts';
import { type RuleFileProblem, type RuleGroup, parseRuleFile } from './rule-file.ts';

export type LoadedRuleFiles = {
  readonly groups: readonly RuleGroup[];
  /** Any of these refuses the whole configuration. */
  readonly problems: readonly RuleFileProblem[];
  /** Patterns that match no file: allowed, but said. */
  readonly warnings: readonly string[];
};

/** Prometheus' default for groups without an interval. Source: global.evaluation_interval. */
const DEFAULT_INTERVAL_MS = MINUTE_MS;
/** Larger files are no rule files; the biggest of public rule sets is about 1 MB. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

export type LoadOptions = {
  readonly baseDir: string;
  readonly defaultIntervalMs?: number;
  /** `$externalLabels` of the files' templates. */
  readonly externalLabels?: Readonly<Record<string, string>>;
};

/** Reads every file that the patterns match, each once, in the order of patterns and names. Relative patterns start at `baseDir`. */
export function loadRuleFiles(
  patterns: readonly string[],
  { baseDir, defaultIntervalMs = DEFAULT_INTERVAL_MS, externalLabels }: LoadOptions,
): LoadedRuleFiles {
  const files = new Set<string>();
  const warnings: string[] = [];
  for (const pattern of patterns) {
    const found = globSync(isAbsolute(pattern) ? pattern : join(baseDir, pattern)).sort();
    if (found.length === 0) warnings.push(`no rule file matches ${pattern}`);
    for (const file of found) files.add(resolve(file));
  }
  const groups: RuleGroup[] = [];
  const problems: RuleFileProblem[] = [];
  for (const path of files) {
    const file = nameOf(path, baseDir);
    try {
      const text = readTextFile(path, MAX_FILE_BYTES);
      const parsed = parseRuleFile(text, { file, defaultIntervalMs, parseExpr });
      if (parsed.ok) groups.push(...parsed.value.map((group) => (externalLabels === undefined ? group : { ...group, externalLabels })));
      else problems.push(...parsed.error);
    } catch (thrown) {
      problems.push({ file, line: 1, column: 1, message: `cannot read the rule file: ${messageOf(thrown)}` });
    }
  }
  return { groups, problems, warnings };
}

/** Relative to the configuration when it lies below it, as its author wrote it. */
function nameOf(path: string, baseDir: string): string {
  const short = relative(baseDir, path);
  return short.startsWith('..') || isAbsolute(short) ? path : short;
}
