import { parseExpr } from '@nines/promql/parse.ts';
import { z } from 'zod';
import { common, condition, type KindSpec } from '../../written.ts';

const schema = z.strictObject({
  ...common,
  kind: z.literal('promql'),
  /** Asked of our own samples, at the start of the attempt. */
  expr: z
    .string()
    .min(1)
    .max(10_000)
    .superRefine((text, context) => {
      const parsed = parseExpr(text);
      if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.error.message });
    }),
  /** What every series of the answer must fulfil; one that does not is down. */
  condition,
  /** What every series must fulfil not to be degraded. */
  degraded_unless: condition.optional(),
});

/** An expression over our own samples. No series at all says nothing: unknown. */
export const promql = {
  schema,
  targetOf: (check) => check.expr,
  hostOf: () => undefined,
} satisfies KindSpec<typeof schema>;
