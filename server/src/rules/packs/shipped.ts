import type { z } from 'zod';
import { SEVERITIES, type Severity } from '../../alerting/contract.ts';
import { KINDS, type RuleKind, type WrittenRule } from '../kinds.ts';
import type { Condition } from '../rule-fields.ts';
import type { Level } from '../threshold-rule.ts';

/** A rule that comes with the product, as a user would write it; a user's rule of the same id replaces it whole. */
export type ShippedRule = {
  readonly written: WrittenRule;
  /** In place of the one that is written, most severe last. */
  readonly levels?: readonly Level[];
  /** Shown, but sent to no channel. */
  readonly dashboardOnly?: boolean;
};

/** A threshold with the value at which its alert ends again. */
type Pair = readonly [threshold: number, clear: number];

export type ShippedLimits = {
  readonly id: string;
  readonly name: string;
  readonly metric: string;
  readonly condition?: Condition;
  readonly levels: Readonly<Partial<Record<Severity, Pair>>>;
  readonly for?: string;
  readonly cooldown?: string;
  readonly summary: string;
  /** What to look at first, in a sentence. */
  readonly runbook: string;
  readonly dashboardOnly?: boolean;
};

/** A threshold rule of one or more severities. */
export function limits({ levels, summary, runbook, dashboardOnly, ...rule }: ShippedLimits): ShippedRule {
  const condition = rule.condition ?? '>';
  const made = SEVERITIES.flatMap((severity): readonly Level[] => {
    const pair = levels[severity];
    return pair === undefined ? [] : [{ severity, limit: { condition, threshold: pair[0], clear: pair[1] } }];
  });
  const [first] = made;
  if (first === undefined) throw new Error(`BUG: the shipped rule ${rule.id} needs a level`);
  const { severity, limit } = first;
  const shown = shipped('threshold', { ...rule, ...limit, severity, annotations: { summary, runbook } });
  return { ...shown, levels: made, dashboardOnly: dashboardOnly ?? false };
}

/** A rule of any kind, as it would stand in the configuration. */
export function shipped<K extends RuleKind>(kind: K, rule: z.input<(typeof KINDS)[K]['schema']>): ShippedRule {
  // The compiler does not follow that a kind and its own schema belong together.
  return { written: { kind, rule: KINDS[kind].schema.parse(rule) } as WrittenRule };
}
