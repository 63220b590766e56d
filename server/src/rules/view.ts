import { z } from 'zod';
import { RULE_KINDS } from './kinds.ts';

/** One rule as `GET /api/rules` shows it. */
export const ruleView = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum([...RULE_KINDS, 'alerting', 'recording', 'sla', 'service']),
  origin: z.enum(['shipped', 'file']),
  place: z.string(),
  query: z.string(),
  health: z.string(),
  last_error: z.string(),
  /** Why a rule of figures decided nothing of some series at its last evaluation: its past is too short. */
  undecided: z.string().nullable().optional(),
  evaluated_at_ms: z.number().nullable(),
  evaluation_ms: z.number(),
  alerts_open: z.number(),
  /** Of its open alerts, the farthest. */
  state: z.enum(['inactive', 'pending', 'firing']),
  spec: z.record(z.string(), z.unknown()),
});
export type RuleView = z.infer<typeof ruleView>;
