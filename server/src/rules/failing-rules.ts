/**
 * The shipped rule about rules: one that cannot be evaluated, whose alerts cannot be told apart, or whose template fails says
 * nothing of what it watches, so somebody must hear of it. Each failing rule is one alert. Rules that have not run since the start
 * or a reload are undecided, so that a restart is no recovery.
 */
import { type EpochMs, MINUTE_MS, epochMs, ms } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { type Alerting, type AlertingRule, DEFAULT_COOLDOWN_MS } from '../alerting/contract.ts';
import { RULE_FAILING_ID } from './contract.ts';
import type { Trigger, Unit } from './runner.ts';

/** A fault of one evaluation (the database was away for a moment) is nobody's business. */
const FOR_MS = MINUTE_MS;

type Fault = { readonly message: string; readonly place: string; readonly sinceMs: number };

export type FailingRulesDeps = {
  readonly alerting: Alerting;
  readonly teamId: string;
  /** Has this unit run on the next turn. */
  readonly wake: () => void;
};

export class FailingRules implements Unit {
  readonly id = RULE_FAILING_ID;
  readonly selectors = [];
  readonly #deps: FailingRulesDeps;
  readonly #faults = new Map<string, Fault>();
  /** Rules that have run since they were configured. */
  readonly #ran = new Set<string>();
  #known: ReadonlySet<string> = new Set();

  constructor(deps: FailingRulesDeps) {
    this.#deps = deps;
  }

  /** The rules that there are, and which of them go on as they were; what is known of others is forgotten. */
  configure(ids: ReadonlySet<string>, unchanged: ReadonlySet<string> = new Set()): void {
    this.#known = ids;
    for (const id of this.#ran) if (!unchanged.has(id)) this.#ran.delete(id);
    for (const id of this.#faults.keys()) if (!ids.has(id)) this.#faults.delete(id);
    if (this.#isOpen) this.#deps.wake();
  }

  /** Told after each evaluation of a rule; `message` is empty when all went well. */
  note(id: string, { message, place, atMs }: { readonly message: string; readonly place: string; readonly atMs: number }): void {
    // What a rule that was removed meanwhile found is nobody's business.
    if (!this.#known.has(id)) return;
    const before = this.#faults.get(id);
    const isFirst = !this.#ran.has(id);
    this.#ran.add(id);
    if (message === '') this.#faults.delete(id);
    else this.#faults.set(id, { message, place, sinceMs: before?.sinceMs ?? atMs });
    if (before?.message !== (message || undefined) || (isFirst && this.#isOpen)) this.#deps.wake();
  }

  /** The end of the earliest pending alert's minute. */
  nextAtMs(afterMs: EpochMs): EpochMs | null {
    const pending = this.#deps.alerting.openOf(this.id).filter(({ condition }) => condition === 'pending');
    const ends = pending.map(({ active_at_ms: atMs }) => Math.max(atMs + FOR_MS, afterMs + 1));
    return ends.length === 0 ? null : epochMs(Math.min(...ends));
  }

  async evaluate({ atMs }: Trigger): Promise<void> {
    const { alerting, teamId } = this.#deps;
    const rule: AlertingRule = {
      id: this.id,
      kind: 'rule',
      alertname: 'RuleFailing',
      severity: 'warning',
      forMs: ms(FOR_MS),
      keepFiringForMs: ms(0),
      cooldownMs: ms(DEFAULT_COOLDOWN_MS),
      teamId,
    };
    const active = [...this.#faults]
      // A rule beyond its limit has an alert of its own.
      .filter(([id]) => alerting.openOf(`${id}:limit`).length === 0)
      .map(([id, { message, place, sinceMs }]) => ({
        labels: labelsFor(id),
        annotations: {
          summary: `The rule ${id} does not work: ${message}`,
          runbook: `Its alerts stay as they are until it works again. ${place === '' ? 'See the page Rules.' : `It stands at ${place}.`}`,
        },
        value: 1,
        activeSinceMs: epochMs(sinceMs),
      }));
    const open = alerting.openOf(this.id).map(({ labels }) => labels['rule'] ?? '');
    const holding = open.filter((id) => this.#known.has(id) && !this.#ran.has(id)).map(labelsFor);
    await alerting.apply({ rule, atMs, found: { kind: 'complete', active, holding } });
  }

  get #isOpen(): boolean {
    return this.#deps.alerting.openOf(this.id).length > 0;
  }
}

const labelsFor = (id: string) => labelsOf({ alertname: 'RuleFailing', rule: id, severity: 'warning' });
