import type { Matcher } from '@nines/base/matcher.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import { DAY_MS, HOUR_MS } from '@nines/base/units.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { MAX_RETENTION_RULES, type RetentionPolicy, type RetentionRule } from '@nines/tsdb/retention/policy.ts';
import { z } from 'zod';
import { duration } from '../platform/config/fields.ts';

/** The section `retention` of the configuration, and the store's policy that comes of it. Described in docs/retention.md. */

const MIN_SAMPLES_MS = HOUR_MS;
const MB = 1024 ** 2;
const MIN_SIZE_BYTES = 16 * MB;
const MIN_RULE_SIZE_BYTES = MB;
/** Larger than any disk; what is written beyond it has a unit too many. */
const MAX_SIZE_BYTES = 1024 ** 5;
const DEFAULT_5M_MS = 180 * DAY_MS;
const DEFAULT_1H_MS = 730 * DAY_MS;
const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** `50GB`: a number and B, KB, MB, GB or TB, of 1024 each. A bare number says not what it counts. */
const size = (minBytes: number) =>
  z.union([z.string(), z.number()]).transform((written, context): number => {
    const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s?([KMGT]?B)$/.exec(String(written)) ?? [];
    const bytes = Math.floor(Number(digits) * 1024 ** UNITS.indexOf(unit));
    if (bytes >= minBytes && bytes <= MAX_SIZE_BYTES) return bytes;
    const message =
      digits === undefined
        ? `not a size: "${written}" (write for example 500MB or 50GB)`
        : bytes < minBytes
          ? `${written} is less than ${minBytes / MB}MB`
          : `${written} is more than 1024TB, which no disk holds`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

const matchersOf = (text: string): Result<readonly Matcher[], string> => {
  const parsed = parseExpr(text);
  if (!parsed.ok) return err(parsed.error.message);
  const expr = parsed.value;
  return expr.kind === 'selector' && expr.at === undefined && expr.offset === undefined
    ? ok(expr.matchers)
    : err(`"${text}" is no series selector (write for example {__name__=~"debug_.*"})`);
};

const selector = z.string().superRefine((text, context) => {
  const matchers = matchersOf(text);
  if (!matchers.ok) context.addIssue({ code: 'custom', message: matchers.error });
});

const downsampling = z.union([
  z.literal('none').transform(() => ({ '5m': 0, '1h': 0 })),
  z.strictObject({ '5m': duration({ minMs: DAY_MS }).optional(), '1h': duration({ minMs: DAY_MS }).optional() }),
]);
type Downsampling = z.output<typeof downsampling>;

const ruleConfig = z.strictObject({
  /** A plain selector: a rule is for the series that it selects and no rule before it does. */
  selector,
  samples: duration({ minMs: MIN_SAMPLES_MS }).optional(),
  points: z.int().min(1).optional(),
  /** Packed samples and rollups of these series together; the oldest go first. */
  size: size(MIN_RULE_SIZE_BYTES).optional(),
  downsampling: downsampling.optional(),
});

export const retentionConfig = z
  .strictObject({
    samples: duration({ minMs: MIN_SAMPLES_MS }).prefault('30d'),
    /** Packed samples and rollups together; the oldest go first. */
    size: size(MIN_SIZE_BYTES).optional(),
    downsampling: downsampling.prefault({}),
    /** Alerts that ended, with their steps and what was seen, problems that are over, and notifications that are done. */
    alerts: duration({ minMs: DAY_MS }).prefault('400d'),
    /** Incidents that are over, with time line, action items and post-mortem. */
    incidents: duration({ minMs: DAY_MS }).prefault('5y'),
    /** Entries of the audit log. */
    audit: duration({ minMs: 30 * DAY_MS }).prefault('400d'),
    rules: z
      .array(ruleConfig)
      .max(MAX_RETENTION_RULES - 1)
      .default([]),
  })
  .superRefine((config, context) => {
    const check = (of: Downsampling | undefined, path: readonly (string | number)[]): void => {
      const kept = lengths(of, lengths(config.downsampling, DEFAULTS));
      if (kept[300000] > 0 && kept[3600000] > 0 && kept[3600000] < kept[300000])
        context.addIssue({ code: 'custom', message: 'rollups of 1h must be kept at least as long as those of 5m', path: [...path] });
    };
    check(config.downsampling, ['downsampling']);
    config.rules.forEach((rule, index) => {
      check(rule.downsampling, ['rules', index, 'downsampling']);
      if (rule.size !== undefined && config.size !== undefined && rule.size > config.size)
        context.addIssue({
          code: 'custom',
          message: 'more than retention.size, which holds all series together',
          path: ['rules', index, 'size'],
        });
    });
  })
  .prefault({});
export type RetentionConfig = z.output<typeof retentionConfig>;

const DEFAULTS: RetentionRule['rollupMs'] = { 300000: DEFAULT_5M_MS, 3600000: DEFAULT_1H_MS };

const lengths = (written: Downsampling | undefined, otherwise: RetentionRule['rollupMs']): RetentionRule['rollupMs'] => ({
  300000: written?.['5m'] ?? otherwise[300000],
  3600000: written?.['1h'] ?? otherwise[3600000],
});

const checked = (matchers: ReturnType<typeof matchersOf>): readonly Matcher[] => {
  if (!matchers.ok) throw new Error(`BUG: expected a selector that was checked, found ${matchers.error}`);
  return matchers.value;
};

/** The rules in their order and the one for all other series, and the longest that any of them keeps samples. */
export function retentionPolicy(config: RetentionConfig): { readonly policy: RetentionPolicy; readonly longestMs: number } {
  const common = lengths(config.downsampling, DEFAULTS);
  const rules: RetentionRule[] = config.rules.map((rule) => ({
    matchers: checked(matchersOf(rule.selector)),
    samplesMs: rule.samples ?? config.samples,
    ...(rule.points !== undefined && { points: rule.points }),
    ...(rule.size !== undefined && { sizeBytes: rule.size }),
    rollupMs: lengths(rule.downsampling, common),
  }));
  rules.push({ matchers: [], samplesMs: config.samples, rollupMs: common });
  const longestMs = Math.max(...rules.map(({ samplesMs }) => samplesMs));
  return { policy: { rules, ...(config.size !== undefined && { sizeBytes: config.size }) }, longestMs };
}
