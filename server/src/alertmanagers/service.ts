import type { Clock } from '@nines/base/clock.ts';
import type { Logger } from '@nines/base/logger.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import type { AlertView } from '../alerting/contract.ts';
import type { Counter, SelfMetrics } from '../collect/contract.ts';
import type { Discover, TargetGroup } from '../discover/contract.ts';
import { fingerprint } from '../platform/config/fingerprint.ts';
import { createHttpClient } from '../platform/fetch/client.ts';
import type { Outbound } from '../platform/fetch/outbound.ts';
import { type Loop, startLoop } from '../platform/loop.ts';
import type { AlertingSettings, ManagerSettings, RuleFacts } from './contract.ts';
import { type Endpoints, endpointsOf } from './endpoints.ts';
import { type LastSending, RESEND_MS, RESOLVED_KEPT_MS, isDue, postable, relabelled } from './evaluate.ts';
import { type Sender, createSender } from './sender.ts';

/** How often it is looked whether a repeat is due. */
const STEP_MS = 5 * SECOND_MS;
/** Alerts that ended within the last quarter of an hour; beyond them the oldest are repeated no more. */
export const MAX_RESOLVED_ALERTS = 10_000;

export type AlertmanagersDeps = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly outbound: Outbound;
  readonly discover: Discover;
  readonly metrics: SelfMetrics;
  readonly alerting: {
    open(): readonly AlertView[];
    /** At most `limit` alerts that ended at or after that instant. */
    resolvedSince(atMs: number, limit: number): Promise<readonly AlertView[]>;
  };
  /** Undefined for an alert that no rule made which is known here: it belongs to everybody. */
  readonly factsOf: (ruleId: string) => RuleFacts | undefined;
  readonly externalUrl: string;
};

/** One entry of `alertmanagers` at work. */
type Entry = {
  readonly section: AlertingSettings;
  readonly settings: ManagerSettings;
  readonly told: Map<string, readonly TargetGroup[]>;
  readonly watches: DisposableStack;
  endpoints: Endpoints;
  readonly senders: Map<string, Sender>;
};

const NONE: Endpoints = { urls: [], dropped: [], faults: [] };

export class Alertmanagers implements AsyncDisposable {
  readonly #deps: AlertmanagersDeps;
  readonly #taken: Counter;
  readonly #dropped: Counter;
  readonly #loop: Loop;
  #entries: readonly Entry[] = [];
  /** What ended lately, oldest first, by id. */
  readonly #resolved = new Map<string, AlertView>();
  /** How each alert was sent last, by id. */
  readonly #sent = new Map<string, LastSending>();
  readonly #ending = new Set<Promise<void>>();

  constructor(deps: AlertmanagersDeps) {
    this.#deps = deps;
    const { clock, logger, metrics } = deps;
    this.#taken = metrics.counter('nines_alertmanager_alerts_sent_total', 'Alerts that an Alertmanager took, each time they were sent.');
    this.#dropped = metrics.counter(
      'nines_alertmanager_alerts_dropped_total',
      'Alerts that an Alertmanager did not take, or for which its queue had no room.',
    );
    metrics.watch('nines_alertmanagers', 'Alertmanagers that alerts are sent to.', () => this.#senders().length);
    metrics.watch('nines_alertmanager_alerts_queued', 'Alerts that wait to be sent to an Alertmanager.', () =>
      this.#senders().reduce((sum, sender) => sum + sender.queued(), 0),
    );
    this.#loop = startLoop({ clock, logger, name: 'alertmanagers', everyMs: STEP_MS, step: async (nowMs) => this.#step(nowMs) });
  }

  /** Reads what ended shortly before the start: whoever was not told of it then is told now. */
  async load(): Promise<void> {
    const sinceMs = this.#deps.clock.now() - RESOLVED_KEPT_MS;
    this.#keepResolved(await this.#deps.alerting.resolvedSince(sinceMs, MAX_RESOLVED_ALERTS));
  }

  /** Makes the Alertmanagers those of `sections`. Queues of those that stay go on. */
  configure(sections: readonly AlertingSettings[]): void {
    const before = this.#entries;
    const kept = new Map(before.flatMap(({ senders }) => [...senders]));
    for (const { senders } of before) senders.clear();
    this.#entries = sections.flatMap((section) => section.managers.map((settings) => this.#begin(section, settings, kept)));
    for (const { watches } of before) watches.dispose();
    for (const sender of kept.values()) this.#end(sender);
    kept.clear();
    this.#loop.poke();
  }

  /** Told after each commit which alerts have changed, as they are now. */
  changed(alerts: readonly AlertView[]): void {
    this.#keepResolved(alerts.filter(({ condition }) => condition === 'resolved'));
    this.#loop.poke();
  }

  /** The answer of Prometheus' `/api/v1/alertmanagers`. */
  view(): { readonly active: readonly string[]; readonly dropped: readonly string[] } {
    return {
      active: this.#senders().map(({ url }) => url),
      dropped: this.#entries.flatMap(({ endpoints }) => endpoints.dropped),
    };
  }

  /** Degraded while an Alertmanager takes nothing. Sources of their addresses that fail are the health of `discover`. */
  health(): { readonly status: 'ok' | 'degraded'; readonly detail: string } {
    const senders = this.#senders();
    const failing = senders.find((sender) => sender.lastError() !== '');
    if (failing !== undefined) return { status: 'degraded', detail: `${failing.url}: ${failing.lastError()}` };
    const fault = this.#entries.flatMap(({ endpoints }) => endpoints.faults)[0];
    if (fault !== undefined) return { status: 'degraded', detail: fault };
    return { status: 'ok', detail: this.#entries.length === 0 ? 'none configured' : `${senders.length} Alertmanagers` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loop[Symbol.asyncDispose]();
    for (const { watches, senders } of this.#entries) {
      watches.dispose();
      for (const sender of senders.values()) this.#end(sender);
    }
    this.#entries = [];
    await Promise.all(this.#ending);
  }

  #senders(): readonly Sender[] {
    return this.#entries.flatMap(({ senders }) => [...senders.values()]);
  }

  #begin(section: AlertingSettings, settings: ManagerSettings, kept: Map<string, Sender>): Entry {
    const watches = new DisposableStack();
    const entry: Entry = { section, settings, told: new Map(), watches, endpoints: NONE, senders: new Map() };
    for (const config of settings.discoveries) {
      const watch = this.#deps.discover.watch(config, (groups) => {
        entry.told.set(config.key, groups);
        this.#find(entry, kept);
      });
      watches.use(watch);
    }
    this.#find(entry, kept);
    return entry;
  }

  /** Looks which Alertmanagers there are now. One that is new is told of everything that fires. */
  #find(entry: Entry, kept: Map<string, Sender>): void {
    const { settings, senders, told } = entry;
    const before = entry.endpoints.faults.join();
    entry.endpoints = endpointsOf(settings, [...told.values()].flat());
    const faults = entry.endpoints.faults.join('; ');
    if (faults !== '' && entry.endpoints.faults.join() !== before)
      this.#deps.logger.warn('Alertmanagers cannot be sent to', { reason: faults });
    const wanted = new Map(entry.endpoints.urls.map((url) => [keyOf(entry, url), url] as const));
    for (const [key, sender] of senders) {
      if (wanted.has(key)) continue;
      senders.delete(key);
      this.#end(sender);
    }
    for (const [key, url] of wanted) {
      if (senders.has(key)) continue;
      const same = kept.get(key);
      kept.delete(key);
      if (same === undefined) this.#sent.clear();
      senders.set(key, same ?? this.#sender(settings, url));
    }
    this.#loop.poke();
  }

  #sender({ http, timeoutMs }: ManagerSettings, url: string): Sender {
    return createSender({
      url,
      timeoutMs,
      client: createHttpClient(http, this.#deps),
      onSent: (count) => this.#taken.add(count),
      onDropped: (count) => this.#dropped.add(count),
      onFailure: (where, reason) => this.#deps.logger.warn('alerts cannot be sent to an Alertmanager', { url: where, reason }),
    });
  }

  #end(sender: Sender): void {
    const ended = Promise.resolve(sender[Symbol.asyncDispose]()).finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  #keepResolved(alerts: readonly AlertView[]): void {
    for (const alert of alerts) this.#resolved.set(alert.id, alert);
    for (const id of this.#resolved.keys()) {
      if (this.#resolved.size <= MAX_RESOLVED_ALERTS) return;
      this.#resolved.delete(id);
    }
  }

  #step(nowMs: number): void {
    for (const [id, { ends_at_ms: endedAtMs }] of this.#resolved) {
      if (nowMs - (endedAtMs ?? 0) > RESOLVED_KEPT_MS) this.#resolved.delete(id);
    }
    const alerts = [...this.#deps.alerting.open(), ...this.#resolved.values()];
    const known = new Set(alerts.map(({ id }) => id));
    for (const id of this.#sent.keys()) if (!known.has(id)) this.#sent.delete(id);
    // While there is nobody to send to nothing counts as sent.
    if (this.#senders().length === 0) return;
    const due = alerts.filter((alert) => isDue({ alert, nowMs, last: this.#sent.get(alert.id) }));
    if (due.length === 0) return;
    for (const { id, condition } of due) this.#sent.set(id, { atMs: nowMs, resolved: condition === 'resolved' });
    const facts = due.map((alert) => ({ alert, rule: this.#deps.factsOf(alert.rule) }));
    for (const entry of this.#entries) this.#sendAll(entry, facts, nowMs);
  }

  #sendAll(
    { section, settings, senders }: Entry,
    due: readonly { readonly alert: AlertView; readonly rule: RuleFacts | undefined }[],
    nowMs: number,
  ): void {
    const { externalUrl } = this.#deps;
    const changes = { externalLabels: section.externalLabels, rules: [...section.alertRelabelRules, ...settings.alertRelabelRules] };
    const own = due.filter(({ rule }) => rule?.dashboardOnly !== true && (rule?.broughtBy ?? section.file) === section.file);
    const ready = own.flatMap(({ alert, rule }) => {
      const made = postable(alert, { nowMs, externalUrl, intervalMs: rule?.intervalMs ?? RESEND_MS });
      return relabelled(made, changes) ?? [];
    });
    if (ready.length > 0) for (const sender of senders.values()) sender.send(ready);
  }
}

/** Equal exactly when an Alertmanager is asked in the same way. */
const keyOf = ({ section, settings }: Entry, url: string): string =>
  [section.file, url, settings.timeoutMs, fingerprint(settings.http)].join('\0');
