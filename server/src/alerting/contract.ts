/**
 * Alerts: problems with an identity (fingerprint), a severity and a life cycle. Condition (pending, firing, resolved) and
 * handling (acknowledged, suppressed, snoozed) are stored apart; `state` is derived for display.
 * Every transition is stored with time, cause and actor, in one transaction with the outbox row that announces it.
 * State survives a restart unchanged. A lost evaluator or a missing series never looks like recovery.
 */
import { type EpochMs, MINUTE_MS, type Ms, ms } from '@nines/base/units.ts';
import type { Labels } from '@nines/model/labels.ts';
import type { Transaction } from 'kysely';
import type { Database } from '../platform/db/schema.ts';

export const SEVERITIES = ['info', 'warning', 'critical', 'emergency'] as const;
export type Severity = (typeof SEVERITIES)[number];
/** Who acts in a history when no person does. */
export const SYSTEM = 'nines';
export const ALERT_STATES = ['pending', 'firing', 'acknowledged', 'suppressed', 'resolved'] as const;
export type AlertState = (typeof ALERT_STATES)[number];
/** `alertmanager`: received from others (Alertmanager's API). */
export type AlertKind = 'rule' | 'sla' | 'service' | 'alertmanager';

export { fingerprintOf } from './fingerprint.ts';
export type { AlertPastWire, AlertStatisticsWire, SnapshotWire } from './history-wire.ts';

/** What the rule files of the world write, and what it means here. The label itself stays as written. */
const MEANING: Readonly<Record<string, Severity>> = {
  page: 'critical',
  ticket: 'warning',
  error: 'critical',
  high: 'critical',
  low: 'info',
  none: 'info',
};

/** The severity of a rule file's label; `warning` when there is none or nobody knows the word. */
export function severityOf(label: string | undefined): Severity {
  const word = label?.toLowerCase() ?? '';
  const own = SEVERITIES.find((severity) => severity === word);
  return own ?? (Object.hasOwn(MEANING, word) ? MEANING[word] : undefined) ?? 'warning';
}

/** How long repeats of one fingerprint stay quiet unless its rule says otherwise. */
export const DEFAULT_COOLDOWN_MS = 5 * MINUTE_MS;

/** What a rule asks of the state machine; from a threshold rule, a rule file, or a shipped rule. */
export type AlertingRule = {
  /** `RULE_001`, or `group/alertname` for rule files. */
  readonly id: string;
  readonly kind: AlertKind;
  readonly alertname: string;
  readonly severity: Severity;
  readonly forMs: Ms;
  readonly keepFiringForMs: Ms;
  /** Mutes repeats of one fingerprint for this long; never the first page nor the resolve. */
  readonly cooldownMs: Ms;
  readonly teamId: string;
  /** Shown, but routed to no channel. */
  readonly dashboardOnly?: boolean;
};

/** A rule whose alerts fire at once and end at once, with the usual cooldown. */
export const promptRule = (rule: Pick<AlertingRule, 'id' | 'kind' | 'alertname' | 'severity' | 'teamId'>): AlertingRule => ({
  ...rule,
  forMs: ms(0),
  keepFiringForMs: ms(0),
  cooldownMs: ms(DEFAULT_COOLDOWN_MS),
});

/** One element of an evaluation whose condition holds. */
export type ActiveElement = {
  /** Final labels, `alertname` and severity included. */
  readonly labels: Labels;
  readonly annotations: Readonly<Record<string, string>>;
  readonly value: number;
  /** When the condition began to hold, if the rule knows better than the evaluation's instant (a service's backdated outage). */
  readonly activeSinceMs?: EpochMs;
  /** Overrides the rule's severity for this element (a rule file may set it by a label template). */
  readonly severity?: Severity;
  /** Why nobody is told although the condition holds (the service that it depends on was down before). */
  readonly heldBack?: string;
  /** Where the alert comes from, when that is not here. */
  readonly generatorUrl?: string;
};

/** What a rule looks at: queries whose series are those that decide, and the figure that they are compared with. */
export type RuleReads = {
  readonly queries: readonly { readonly name: string; readonly expr: string }[];
  readonly threshold: { readonly op: '>' | '>=' | '<' | '<=' | '==' | '!='; readonly value: number } | null;
};

/**
 * What an evaluation found. `complete`: `active` is the whole truth about the rule, what is absent has recovered.
 * `unknown`: the evaluation could not decide (error, missing series): nothing recovers.
 * `holding` lists fingerprint label sets that stay as they are (between clear and fire thresholds, or without data).
 */
export type Evaluation = {
  readonly rule: AlertingRule;
  readonly atMs: EpochMs;
  readonly found:
    | {
        readonly kind: 'complete';
        readonly active: readonly ActiveElement[];
        readonly holding: readonly Labels[];
        /** Why what is absent has ended, when it is not that its condition ceased (the rule was removed). */
        readonly because?: string;
        /** When what is absent ended, if the rule knows better than the evaluation's instant (a service's backdated recovery). */
        readonly endedAtMs?: EpochMs;
      }
    /** Only what is named changes: others tell of some alerts at a time. `ended` that are not open are nothing new. */
    | {
        readonly kind: 'partial';
        readonly active: readonly ActiveElement[];
        readonly ended: readonly { readonly fingerprint: string; readonly endedAtMs: EpochMs; readonly because: string }[];
      }
    | { readonly kind: 'unknown'; readonly reason: string };
};

/** The shape of `GET /api/alerts` items (spec http.md). */
export type AlertView = {
  readonly id: string;
  readonly fingerprint: string;
  readonly kind: AlertKind;
  readonly rule: string;
  readonly alertname: string;
  readonly state: AlertState;
  readonly condition: 'pending' | 'firing' | 'resolved';
  readonly severity: Severity;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** NaN and infinities are written as null in JSON. */
  readonly value: number;
  /** When the condition began to hold. */
  readonly active_at_ms: number;
  /** When the alert fired, or when the problem began if the rule knows that better; while pending, `active_at_ms`. */
  readonly starts_at_ms: number;
  /** When the condition ceased to hold, while `keep_firing_for` keeps the alert. */
  readonly keep_firing_since_ms: number | null;
  readonly ends_at_ms: number | null;
  readonly acknowledged_by: string | null;
  readonly acknowledged_at_ms: number | null;
  readonly suppressed_by: string | null;
  readonly suppressed_at_ms: number | null;
  readonly snoozed_until_ms: number | null;
  readonly snoozed_until_resolved: boolean;
  readonly assigned_to: string | null;
  readonly held_back: string | null;
  /** Where the alert comes from, when that is not here. */
  readonly generator_url: string | null;
  readonly service: string | null;
  /** The problem that it is in with other alerts; null before it fires. */
  readonly problem: string | null;
  /** Since when it fires and resolves again and again; null while it is steady. */
  readonly flapping_since_ms: number | null;
};

/** An alert that nobody handled, that is steady and in no problem: also what messages that no alert stands behind look like. */
export const UNHANDLED = {
  keep_firing_since_ms: null,
  acknowledged_by: null,
  acknowledged_at_ms: null,
  suppressed_by: null,
  suppressed_at_ms: null,
  snoozed_until_ms: null,
  snoozed_until_resolved: false,
  assigned_to: null,
  held_back: null,
  problem: null,
  flapping_since_ms: null,
} as const satisfies Partial<AlertView>;

/** A step in the life of an alert that another domain took. */
export type HistoryStep = {
  readonly alert: Pick<AlertView, 'id' | 'rule' | 'fingerprint' | 'severity'>;
  readonly atMs: number;
  /** `escalated`: somebody was told or is to be; `escalation`: it waits, goes on or is over. */
  readonly kind: 'escalated' | 'escalation';
  readonly reason: string;
  readonly detail: Readonly<Record<string, unknown>>;
};
/** What other domains write into the history of alerts, in the caller's transaction. */
export interface AlertSteps {
  append(trx: Transaction<Database>, steps: readonly HistoryStep[]): Promise<void>;
}

export interface Acknowledgements {
  /** How long each alert about the service that fired in `[fromMs, toMs)` waited for a person, in milliseconds. */
  acknowledgements(asked: {
    readonly service: string;
    readonly fromMs: EpochMs;
    readonly toMs: EpochMs;
    readonly knownAtMs?: EpochMs;
  }): Promise<readonly number[]>;
}

export interface Alerting {
  /** Applies one evaluation: decides per fingerprint, saves state and outbox rows in one transaction, resolves when durable. */
  apply(evaluation: Evaluation): Promise<void>;
  /** Open alerts of one rule, for evaluations that need to know (hysteresis, `ALERTS`). */
  openOf(ruleId: string): readonly AlertView[];
  /** All open alerts, newest start first. */
  open(): readonly AlertView[];
  /** Those that fire, are meant for people, and that nobody has in hand: not acknowledged, suppressed, snoozed or held back. */
  awaiting(): readonly AlertView[];
}
