/** What rules of every kind have in common, as it is written. */
import { parseDuration } from '@nines/base/duration.ts';
import { ms } from '@nines/base/units.ts';
import { z } from 'zod';
import { DEFAULT_COOLDOWN_MS, SEVERITIES } from '../alerting/contract.ts';
import { duration, slug } from '../platform/config/fields.ts';
import { problemOfMetric } from './metric.ts';
import { parseTemplate } from './template-parse.ts';

export const CONDITIONS = ['>', '>=', '<', '<=', '==', '!='] as const;
export type Condition = (typeof CONDITIONS)[number];

/** A number, a percentage as the figure before its sign (`90%` is 90), or a duration in seconds (`100ms` is 0.1). */
export const threshold = z.union([z.number(), z.string()]).transform((written, context): number => {
  if (typeof written === 'number') return written;
  if (/^-?\d+(\.\d+)?%?$/.test(written)) return Number.parseFloat(written);
  const parsed = parseDuration(written);
  if (parsed.ok) return parsed.value / 1000;
  context.addIssue({ code: 'custom', message: `not a threshold: "${written}" (write a number, a percentage or a duration)` });
  return z.NEVER;
});

export const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'write a label name: letters, digits and "_"');
export const labels = z.record(labelName, z.string()).default({});

const template = z.string().superRefine((text, context) => {
  const parsed = parseTemplate(text);
  if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.error });
});

/** A dotted name (`system.cpu.percent`), a glob over metric names (`node_*_total`) or a PromQL selector or expression. */
export const metric = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    const problem = problemOfMetric(text);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

export const limitFields = {
  condition: z.enum(CONDITIONS).default('>'),
  threshold,
  /** The alert ends when the value has come back to this; the threshold when left out. */
  clear: threshold.optional(),
};

export const alertFields = {
  id: slug,
  /** The alert's name; the id when left out. */
  name: z.string().min(1).optional(),
  for: duration().default(ms(0)),
  /** How much longer the alert fires once its condition has ceased. */
  keep_firing_for: duration().default(ms(0)),
  severity: z.enum(SEVERITIES).default('warning'),
  cooldown: duration().default(ms(DEFAULT_COOLDOWN_MS)),
  service: z.string().optional(),
  labels,
  annotations: z.record(labelName, template).default({}),
};

type WrittenLimit = { readonly condition: Condition; readonly threshold: number; readonly clear?: number | undefined };

/** For `superRefine`: the clear threshold lies on the good side. */
export function refineClear(limit: WrittenLimit, context: z.core.$RefinementCtx): void {
  if (limit.clear === undefined) return;
  const above = limit.condition === '>' || limit.condition === '>=';
  const below = limit.condition === '<' || limit.condition === '<=';
  const complain = (message: string): void => context.addIssue({ code: 'custom', message, path: ['clear'] });
  if (above && limit.clear > limit.threshold) complain('clear must not be above the threshold');
  if (below && limit.clear < limit.threshold) complain('clear must not be below the threshold');
  if (!above && !below) complain('clear makes no sense with == and !=');
}
