import { z } from 'zod';
import { RULE_KINDS } from './kinds.ts';

/** One rule as `GET /api/rules` shows it. */
export const ruleView = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum([...RULE_KINDS, 'alerting', 'recording', 'sla', 'service']),
  /** `ui`: saved on the screen or through the API. */
  origin: z.enum(['shipped', 'file', 'ui']),
  place: z.string(),
  /** Of a saved rule: counts its changes. */
  revision: z.number().optional(),
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

/** One rule as `GET /api/rules/{id}` shows it. */
export const ruleDetailView = ruleView.extend({
  /** As it was saved; null for rules of files and shipped ones, and where its query is outside of the reader's scope. */
  written: z.record(z.string(), z.unknown()).nullable(),
  /** Whether it can be changed here; with the reason if not. */
  editable: z.object({ allowed: z.boolean(), reason: z.string() }),
});
export type RuleDetailView = z.infer<typeof ruleDetailView>;
