import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import { type EpochMs, MINUTE_MS, type Ms, ms } from '@nines/base/units.ts';
import { labelValue, labelsToRecord } from '@nines/model/labels.ts';
import type { Kysely } from 'kysely';
import { type Alerting, type AlertingRule, DEFAULT_COOLDOWN_MS, fingerprintOf, severityOf } from '../alerting/contract.ts';
import type { Counter, SelfMetrics } from '../collect/contract.ts';
import { type RoutingConfig, routingConfig } from '../notify/contract.ts';
import type { Database } from '../platform/db/schema.ts';
import { DEFAULT_TEAM } from '../platform/records/contract.ts';
import { createTurns } from '../platform/turns.ts';
import { MAX_RECEIVED, type PostableAlert, RECEIVED_SOURCE } from './contract.ts';
import { type AlertSender, type Received, judgePosted, mergeReceived } from './received.ts';
import { forgetReceived, loadReceived, saveReceived } from './store.ts';

/** How often `step` is to be called. */
export const RECEIVED_STEP_MS = 1_000;

export type ReceivedAlertsDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Pick<Clock, 'now'>;
  readonly alerting: Alerting;
  readonly metrics: SelfMetrics;
};

/** The alerts that others sent and that have not ended. What is known here is durable before the alert fires, so that none stays open for ever. */
export class ReceivedAlerts {
  readonly #deps: ReceivedAlertsDeps;
  readonly #alone = createTurns();
  readonly #counted: Counter;
  #routing: RoutingConfig = routingConfig.parse({});
  #known = new Map<string, Received>();

  constructor(deps: ReceivedAlertsDeps) {
    this.#deps = deps;
    this.#counted = deps.metrics.counter('nines_alerts_received_total', 'Alerts that others sent, by status; refused ones are `invalid`.');
  }

  async load(): Promise<void> {
    this.#known = new Map(await loadReceived(this.#deps.db));
  }

  configure(routing: RoutingConfig): void {
    this.#routing = routing;
  }

  /** After how long without a word an alert whose sender gave no end is over. */
  get resolveTimeoutMs(): Ms {
    return this.#routing.resolve_timeout;
  }

  find(fingerprint: string): Received | undefined {
    return this.#known.get(fingerprint);
  }

  /** When an alert of others with such labels was heard of last; undefined when none is open. */
  lastHeardMs(matches: (labels: Readonly<Record<string, string>>) => boolean): number | undefined {
    let lastMs: number | undefined;
    for (const { labels, updatedAtMs } of this.#known.values()) {
      if (matches(labelsToRecord(labels))) lastMs = Math.max(lastMs ?? 0, updatedAtMs);
    }
    return lastMs;
  }

  /** Takes what is valid, then refuses the rest. `AppError` `alerts_invalid`, `too_many_alerts`. */
  post(posted: readonly PostableAlert[], sender?: AlertSender): Promise<void> {
    return this.#alone(async () => {
      const nowMs = this.#deps.clock.now();
      const faults: string[] = [];
      const taken = new Map<string, Received>();
      for (const alert of posted) {
        const judged = judgePosted(alert, { nowMs, resolveTimeoutMs: this.resolveTimeoutMs, ...(sender === undefined ? {} : { sender }) });
        if (!judged.ok) {
          faults.push(judged.error);
          continue;
        }
        const fingerprint = fingerprintOf(judged.value.labels);
        taken.set(fingerprint, mergeReceived(taken.get(fingerprint) ?? this.#known.get(fingerprint), judged.value));
      }
      this.#counted.add(faults.length, { status: 'invalid' });
      await this.#take(taken, nowMs);
      if (faults.length > 0) throw new AppError('bad_input', 'alerts_invalid', [...new Set(faults)].slice(0, 20).join('; '));
    });
  }

  /** Ends what nobody keeps up. Steps must not overlap. */
  step(nowMs: EpochMs): Promise<void> {
    return this.#alone(async () => {
      const over = [...this.#known].filter(([, { endsAtMs }]) => endsAtMs <= nowMs);
      if (over.length > 0) await this.#take(new Map(over), nowMs);
    });
  }

  async #take(taken: ReadonlyMap<string, Received>, nowMs: EpochMs): Promise<void> {
    const firing = new Map([...taken].filter(([, { endsAtMs }]) => endsAtMs > nowMs));
    const ended = new Map([...taken].filter(([fingerprint]) => !firing.has(fingerprint)));
    const fresh = [...firing.keys()].filter((fingerprint) => !this.#known.has(fingerprint)).length;
    if (this.#known.size + fresh > MAX_RECEIVED)
      throw new AppError('limited', 'too_many_alerts', `${MAX_RECEIVED} received alerts are open already`, { retryAfterMs: MINUTE_MS });
    if (firing.size > 0) await saveReceived(this.#deps.db, firing);
    for (const [fingerprint, alert] of firing) this.#known.set(fingerprint, alert);
    await this.#deps.alerting.apply({
      rule: this.#rule(),
      atMs: nowMs,
      found: {
        kind: 'partial',
        active: [...firing.values()].map((alert) => ({
          labels: alert.labels,
          annotations: alert.annotations,
          value: Number.NaN,
          activeSinceMs: alert.startsAtMs,
          severity: severityOf(labelValue(alert.labels, 'severity')),
          generatorUrl: alert.generatorUrl,
        })),
        ended: Array.from(ended, ([fingerprint, { endsAtMs, updatedAtMs }]) => ({
          fingerprint,
          endedAtMs: endsAtMs,
          because: endsAtMs > updatedAtMs ? 'nothing more was heard of it' : 'its sender says that it ended',
        })),
      },
    });
    for (const fingerprint of ended.keys()) this.#known.delete(fingerprint);
    await forgetReceived(this.#deps.db, [...ended.keys()]);
    this.#counted.add(firing.size, { status: 'firing' });
    this.#counted.add(ended.size, { status: 'resolved' });
  }

  #rule(): AlertingRule {
    return {
      id: RECEIVED_SOURCE,
      kind: RECEIVED_SOURCE,
      alertname: RECEIVED_SOURCE,
      severity: 'warning',
      forMs: ms(0),
      keepFiringForMs: ms(0),
      // A tree has timings of its own.
      cooldownMs: this.#routing.tree === undefined ? ms(DEFAULT_COOLDOWN_MS) : ms(0),
      teamId: DEFAULT_TEAM,
    };
  }
}
