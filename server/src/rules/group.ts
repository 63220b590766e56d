/**
 * One group of a Prometheus rule file. On the grid everything is evaluated in order, as in Prometheus; woken by samples only
 * the alerting rules without `for`, which gain from being early. A failed query, a limit that is hit and a restart never end
 * an alert.
 */
import { fnv1a } from '@nines/base/fnv1a.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { type EpochMs, epochMs, ms } from '@nines/base/units.ts';
import { type Labels, METRIC_NAME, labelsKey, labelsOf, labelsToRecord, withLabels } from '@nines/model/labels.ts';
import {
  type ActiveElement,
  type AlertingRule,
  DEFAULT_COOLDOWN_MS,
  type AlertView,
  type Severity,
  severityOf,
} from '../alerting/contract.ts';
import { alertSeries, withEndings } from './alert-series.ts';
import { type Health, LOOKBACK_MS, MAX_ELEMENTS, type RuleContext, type RuleElement, newHealth } from './context.ts';
import type { FileAlertingRule, FileRule, RecordingRule, RuleGroup } from './rule-file.ts';
import type { Trigger, Unit } from './runner.ts';
import type { Template } from './template-parse.ts';
import type { TemplateSample } from './template-functions.ts';
import { expandTemplate } from './templates.ts';

/** One rule with what it remembers between evaluations. */
export type LiveRule = {
  readonly rule: FileRule;
  /** Unique among all rules: `group/alertname`, with a number behind it when that is taken. */
  readonly id: string;
  readonly health: Health;
  /** Series written last time, by key, for their staleness markers. */
  written: ReadonlyMap<string, Labels>;
  /** The instant at which it was last evaluated because a sample came. */
  lookedAtMs: EpochMs | undefined;
};

export type FileGroupOptions = {
  readonly group: RuleGroup;
  readonly ids: readonly string[];
  readonly context: RuleContext;
  readonly selectorsOf: (rule: FileRule) => readonly (readonly Matcher[])[];
  readonly cooldownMs: number;
  /** Where in the interval the group is evaluated; by its name without. */
  readonly gridOffsetMs?: number;
};

/** A file rule's cooldown under `routing.default`; a tree spaces repeats by its own timings. */
export const FILE_RULE_COOLDOWN_MS = DEFAULT_COOLDOWN_MS;

export class FileGroup implements Unit {
  readonly id: string;
  readonly group: RuleGroup;
  readonly rules: readonly LiveRule[];
  readonly selectors: readonly (readonly Matcher[])[];
  readonly health: Health = newHealth();
  missedIterations = 0;
  readonly #context: RuleContext;
  readonly #cooldownMs: number;
  readonly #offsetMs: number;
  #lastGridMs: number | undefined;
  /** A sample that the group reads has come since the start. */
  #fed = false;

  constructor({ group, ids, context, selectorsOf, cooldownMs, gridOffsetMs }: FileGroupOptions) {
    this.id = `${group.file};${group.name}`;
    this.group = group;
    this.rules = group.rules.map((rule, i) => ({ rule, id: ids[i] ?? '', health: newHealth(), written: new Map(), lookedAtMs: undefined }));
    this.selectors = group.rules.flatMap((rule) => (rule.kind === 'alerting' ? selectorsOf(rule) : []));
    this.#context = context;
    this.#cooldownMs = cooldownMs;
    // The same group keeps its place in the interval for ever, and groups spread over it.
    this.#offsetMs = gridOffsetMs ?? fnv1a(this.id) % group.intervalMs;
  }

  /**
   * After a reload the same group goes on: series it wrote before still get their staleness markers, its place on the grid is kept. Of one
   * whose rules were `rewritten` how they fared before says nothing.
   */
  takeOver(before: FileGroup | undefined, { rewritten = false }: { readonly rewritten?: boolean } = {}): void {
    if (before === undefined) return;
    this.#fed = before.#fed;
    this.#lastGridMs = before.group.intervalMs === this.group.intervalMs ? before.#lastGridMs : undefined;
    for (const live of this.rules) {
      const same = before.rules.find(({ id }) => id === live.id);
      if (same === undefined) continue;
      live.written = same.written;
      live.lookedAtMs = same.lookedAtMs;
      if (!rewritten) Object.assign(live.health, same.health);
    }
  }

  /** Ends every series that it wrote: the group is no more. */
  async retire(atMs: EpochMs): Promise<void> {
    for (const live of this.rules) await this.#write(live, [], atMs);
  }

  nextAtMs(afterMs: EpochMs): EpochMs {
    return epochMs(this.#gridAt(afterMs) + this.group.intervalMs);
  }

  async evaluate(trigger: Trigger, signal: AbortSignal): Promise<void> {
    if (trigger.kind !== 'timer') {
      if (trigger.kind === 'woken') this.#fed = true;
      for (const live of this.rules) {
        if (live.rule.kind !== 'alerting' || live.rule.forMs !== 0) continue;
        live.lookedAtMs = trigger.atMs;
        await this.#observe(live, () => this.#alerting(live, trigger.atMs, signal));
      }
      return;
    }
    const gridMs = this.#gridAt(trigger.atMs);
    // A timer may fire a moment early: this instant of the grid has had its turn.
    if (gridMs === this.#lastGridMs) return;
    if (this.#lastGridMs !== undefined) this.missedIterations += Math.round((gridMs - this.#lastGridMs) / this.group.intervalMs) - 1;
    this.#lastGridMs = gridMs;
    await this.evaluateAt(epochMs(gridMs), signal);
  }

  /** Evaluates every rule in order at one instant, whether or not it lies on the grid. */
  async evaluateAt(atMs: EpochMs, signal: AbortSignal): Promise<void> {
    const startedMs = this.#context.clock.monotonic();
    for (const live of this.rules) await this.#observe(live, () => this.#onGrid(live, atMs, signal));
    Object.assign(this.health, { evaluatedAtMs: atMs, evaluationMs: this.#context.clock.monotonic() - startedMs });
  }

  #gridAt(atMs: number): number {
    return Math.floor((atMs - this.#offsetMs) / this.group.intervalMs) * this.group.intervalMs + this.#offsetMs;
  }

  /** Runs one rule, which returns what of it does not work, and keeps how it went; only a stop of the product ends the group half-way. */
  async #observe(live: LiveRule, run: () => Promise<string | undefined>): Promise<void> {
    const { clock, logger } = this.#context;
    const startedMs = clock.monotonic();
    const health: Partial<Health> = { health: 'ok', lastError: '' };
    try {
      health.fault = (await run()) ?? '';
    } catch (thrown) {
      Object.assign(health, { health: 'err', lastError: messageOf(thrown) });
      // Not at each evaluation: the same fault would fill the log.
      if (live.health.lastError !== messageOf(thrown))
        logger.warn('rule failed', { rule: live.id, place: live.rule.place, error: messageOf(thrown) });
    }
    Object.assign(live.health, health, { evaluationMs: clock.monotonic() - startedMs, evaluatedAtMs: clock.now() });
    const message = live.health.lastError || live.health.fault;
    this.#context.noteHealth?.(live.id, { message, place: live.rule.place, atMs: clock.now() });
  }

  async #onGrid(live: LiveRule, atMs: EpochMs, signal: AbortSignal): Promise<string | undefined> {
    if (live.rule.kind === 'recording') {
      await this.#recording(live, live.rule, { atMs, signal });
      return undefined;
    }
    // Never back behind what a sample showed meanwhile: it would look like a recovery.
    const fault = await this.#alerting(live, epochMs(Math.max(atMs, live.lookedAtMs ?? 0)), signal);
    await this.#write(live, alertSeries(this.#context.alerting.openOf(live.id)), atMs);
    return fault;
  }

  async #recording(live: LiveRule, rule: RecordingRule, { atMs, signal }: { atMs: EpochMs; signal: AbortSignal }): Promise<void> {
    const found = await this.#query(rule, atMs, signal);
    const limit = this.group.limit || MAX_ELEMENTS;
    if (found.length > limit) throw new Error(`exceeded limit of ${limit} with ${found.length} series`);
    // As written: only the labels of alerts are templates.
    const labels = Object.fromEntries(Object.entries(rule.labels).map(([name, { source }]) => [name, source]));
    const samples: RuleElement[] = [];
    for (const element of found) {
      samples.push({ ...element, labels: withLabels(element.labels, { ...labels, [METRIC_NAME]: rule.record }) });
    }
    refuseRepeats(samples, 'vector contains metrics with the same labelset after applying rule labels');
    await this.#write(live, samples, atMs);
  }

  async #alerting(live: LiveRule, atMs: EpochMs, signal: AbortSignal): Promise<string | undefined> {
    const { rule, id } = live;
    if (rule.kind !== 'alerting') return undefined;
    const faults = new Set<string>();
    const asked = this.#ruleFor(rule, id);
    const { alerting } = this.#context;
    let active: readonly ActiveElement[];
    try {
      const found = await this.#query(rule, atMs, signal);
      if (await this.#isBeyondLimit(asked, found.length, atMs))
        throw new Error(`exceeded limit of ${this.#limit} with ${found.length} alerts`);
      active = await this.#elements(rule, found, { atMs, signal, faults });
      refuseRepeats(active, 'vector contains metrics with the same labelset after applying alert labels');
    } catch (thrown) {
      await alerting.apply({ rule: asked, atMs, found: { kind: 'unknown', reason: messageOf(thrown) } });
      throw thrown;
    }
    const holding = this.#heldSinceRestart(alerting.openOf(id), atMs);
    await alerting.apply({ rule: asked, atMs, found: { kind: 'complete', active, holding } });
    return faults.values().next().value;
  }

  get #limit(): number {
    return this.group.limit || MAX_ELEMENTS;
  }

  /** A rule beyond its limit keeps its alerts, and an alert of its own says so. */
  async #isBeyondLimit(asked: AlertingRule, count: number, atMs: EpochMs): Promise<boolean> {
    const beyond = count > this.#limit;
    const id = `${asked.id}:limit`;
    if (!beyond && this.#context.alerting.openOf(id).length === 0) return false;
    const labels = labelsOf({ alertname: 'RuleLimitExceeded', rule: asked.id, severity: 'warning' });
    const annotations = {
      summary: `The rule ${asked.id} found ${count} alerts, more than its limit of ${this.#limit}; its alerts stay as they are.`,
    };
    const rule: AlertingRule = { ...asked, id, alertname: 'RuleLimitExceeded', severity: 'warning', forMs: ms(0), keepFiringForMs: ms(0) };
    const active = beyond ? [{ labels, annotations, value: count }] : [];
    await this.#context.alerting.apply({ rule, atMs, found: { kind: 'complete', active, holding: [] } });
    return beyond;
  }

  /**
   * After a restart the first evaluations may see only part of the data: what was open before stays, until the group was fed
   * and two intervals have passed, or until the lookback could hide nothing any more.
   */
  #heldSinceRestart(open: readonly AlertView[], atMs: number): readonly Labels[] {
    const { startedAtMs } = this.#context;
    const settledMs = startedAtMs + (this.#fed ? Math.min(2 * this.group.intervalMs, LOOKBACK_MS) : LOOKBACK_MS);
    if (atMs >= settledMs) return [];
    return open.filter((alert) => alert.active_at_ms < startedAtMs).map((alert) => labelsOf(alert.labels));
  }

  #ruleFor(rule: FileAlertingRule, id: string): AlertingRule {
    return {
      id,
      kind: 'rule',
      alertname: rule.alert,
      severity: severityOf(rule.labels['severity']?.source),
      forMs: rule.forMs,
      keepFiringForMs: rule.keepFiringForMs,
      cooldownMs: ms(this.#cooldownMs),
      teamId: this.#context.teamId,
    };
  }

  #query(rule: FileRule, atMs: number, signal: AbortSignal): Promise<readonly RuleElement[]> {
    return this.#context.query(rule.exprText, atMs - this.group.queryOffsetMs, { signal });
  }

  async #elements(rule: FileAlertingRule, found: readonly RuleElement[], at: Expansion): Promise<readonly ActiveElement[]> {
    const elements: ActiveElement[] = [];
    for (const element of found) {
      const changes = await this.#expandAll(rule.labels, element, at);
      const labels = withLabels(element.labels, { ...changes, [METRIC_NAME]: '', alertname: rule.alert });
      const annotations = await this.#expandAll(rule.annotations, element, at);
      const severity: Severity = severityOf(changes['severity']);
      elements.push({ labels, annotations, value: element.value, severity });
    }
    return elements;
  }

  async #expandAll(
    templates: Readonly<Record<string, Template>>,
    element: RuleElement,
    { atMs, signal, faults }: Expansion,
  ): Promise<Record<string, string>> {
    const { query, externalUrl } = this.#context;
    const externalLabels = this.group.externalLabels ?? this.#context.externalLabels;
    const run = async (expr: string): Promise<readonly TemplateSample[]> =>
      (await query(expr, atMs, { signal })).map(({ labels, value }) => ({ Labels: labelsToRecord(labels), Value: value }));
    const onFault = (fault: string): void => void faults.add(fault);
    const input = { labels: labelsToRecord(element.labels), value: element.value, externalUrl, externalLabels, atMs, query: run, onFault };
    const expanded: Record<string, string> = Object.create(null);
    for (const [name, template] of Object.entries(templates)) expanded[name] = await expandTemplate(template, input);
    return expanded;
  }

  /** Stores what a rule gives now, and a staleness marker for what it gave last time and gives no more. */
  async #write(live: LiveRule, samples: readonly RuleElement[], atMs: EpochMs): Promise<void> {
    const written = withEndings(samples, live.written, atMs - this.group.queryOffsetMs);
    live.written = new Map(samples.map(({ labels }) => [labelsKey(labels), labels]));
    if (written.length > 0) await this.#context.store(written);
  }
}

/** `faults` collects what templates could not do. */
type Expansion = { readonly atMs: EpochMs; readonly signal: AbortSignal; readonly faults: Set<string> };

function refuseRepeats(elements: readonly { readonly labels: Labels }[], message: string): void {
  if (new Set(elements.map(({ labels }) => labelsKey(labels))).size < elements.length) throw new Error(message);
}
