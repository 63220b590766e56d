/** The auditor: every alert that nobody has in hand must have a next step. */
import type { Clock } from '@nines/base/clock.ts';
import { MINUTE_MS, epochMs } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import type { Kysely } from 'kysely';
import { type Alerting, type AlertView, type Evaluation, promptRule } from '../alerting/contract.ts';
import type { SelfMetrics } from '../collect/contract.ts';
import type { Pager } from '../notify/contract.ts';
import type { Database } from '../platform/db/schema.ts';
import { DEFAULT_TEAM } from '../platform/records/contract.ts';
import { NEXT_STEP_RULE_ID } from '../rules/contract.ts';
import { alertsWithNextLook } from './store.ts';

/** How often it looks; what it finds twice in a row is true. */
export const AUDIT_STEP_MS = MINUTE_MS;
/** Alerts that its own alert names; the rest is counted. */
const MAX_NAMED = 20;
/** A summary is one line of a list, and the subject of a message. */
const MAX_IN_SUMMARY = 2;

export type Gap = { readonly alert: AlertView; readonly sinceMs: number; readonly why: string };

/** What each alert has to come, as sets of ids, and what keeps one from people. */
export type NextSteps = {
  readonly pending: ReadonlySet<string>;
  readonly climbing: ReadonlySet<string>;
  readonly isKept: (labels: Readonly<Record<string, string>>) => boolean;
  readonly isMeantForNobody: (alert: AlertView) => boolean;
};

/** The alerts that nobody has in hand and that nothing will happen about. Pure. */
export function withoutNextStep(
  awaiting: readonly AlertView[],
  { pending, climbing, isKept, isMeantForNobody }: NextSteps,
): readonly AlertView[] {
  return awaiting.filter(
    (alert) =>
      alert.rule !== NEXT_STEP_RULE_ID &&
      !pending.has(alert.id) &&
      !climbing.has(alert.id) &&
      !isMeantForNobody(alert) &&
      !isKept(alert.labels),
  );
}

export type AuditorDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Pick<Clock, 'now'>;
  readonly metrics: SelfMetrics;
  readonly alerting: Pick<Alerting, 'awaiting'>;
  readonly pager: Pager;
  readonly isMeantForNobody: NextSteps['isMeantForNobody'];
  readonly alert: (evaluation: Evaluation) => Promise<void>;
};

/** Looks every minute. Where there is no channel nobody can be told, and nothing is found missing. */
export class Auditor {
  readonly #deps: AuditorDeps;
  #atMs: number | null = null;
  #suspected = new Map<string, number>();
  #gaps: readonly Gap[] = [];

  constructor(deps: AuditorDeps) {
    this.#deps = deps;
    deps.metrics.watch(
      'nines_alerts_without_next_step',
      'Open alerts that nobody has in hand and that nothing will happen about.',
      () => this.#gaps.length,
    );
  }

  /** When it last looked, and what it found. */
  get found(): { readonly atMs: number | null; readonly gaps: readonly Gap[] } {
    return { atMs: this.#atMs, gaps: this.#gaps };
  }

  async step(nowMs: number): Promise<void> {
    const { db, alerting, pager, isMeantForNobody } = this.#deps;
    const awaiting = pager.channelIds().length === 0 ? [] : alerting.awaiting();
    const steps = awaiting.length === 0 ? NOTHING : { pending: await pager.pendingAlerts(), climbing: await alertsWithNextLook(db) };
    const lost = withoutNextStep(awaiting, { ...steps, isMeantForNobody, isKept: (labels) => pager.keeping(labels, nowMs) !== undefined });
    const before = this.#suspected;
    this.#suspected = new Map(lost.map(({ id }) => [id, before.get(id) ?? nowMs]));
    this.#gaps = lost.flatMap((alert) => {
      const sinceMs = before.get(alert.id);
      return sinceMs === undefined ? [] : [{ alert, sinceMs, why: 'no message waits, no group or level is due, and nobody acknowledged' }];
    });
    this.#atMs = nowMs;
    await this.#deps.alert(auditEvaluation(this.#gaps, nowMs));
  }
}

const NOTHING = { pending: new Set<string>(), climbing: new Set<string>() };

/** The first `most` of them by name and service. */
function namesOf(gaps: readonly Gap[], most: number): string {
  const named = gaps.slice(0, most).map(({ alert }) => `${alert.alertname}${alert.service === null ? '' : ` (${alert.service})`}`);
  return named.join(', ') + (gaps.length > named.length ? ` and ${gaps.length - named.length} more` : '');
}

function auditEvaluation(gaps: readonly Gap[], nowMs: number): Evaluation {
  const count = gaps.length === 1 ? '1 alert has' : `${gaps.length} alerts have`;
  const element = {
    labels: labelsOf({ alertname: 'AlertWithoutNextStep', severity: 'critical', job: 'nines' }),
    annotations: {
      summary: `${count} no next step: ${namesOf(gaps, MAX_IN_SUMMARY)}`,
      description: `Nobody acknowledged them, no message about them waits and no level of escalation is due. Route them to a channel, or acknowledge them: ${namesOf(gaps, MAX_NAMED)}.`,
    },
    value: gaps.length,
  };
  return {
    rule: promptRule({
      id: NEXT_STEP_RULE_ID,
      kind: 'rule',
      alertname: 'AlertWithoutNextStep',
      severity: 'critical',
      teamId: DEFAULT_TEAM,
    }),
    atMs: epochMs(nowMs),
    found: { kind: 'complete', active: gaps.length === 0 ? [] : [element], holding: [], because: 'every alert has a next step' },
  };
}
