/**
 * A threshold rule at work: one evaluation per matching series. It runs when a sample of one of its series arrives; timers
 * serve `for` and silence alone.
 */
import { messageOf } from '@nines/base/errors.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { type EpochMs, type Ms, epochMs, ms } from '@nines/base/units.ts';
import { type Labels, METRIC_NAME, labelValue, labelsKey, labelsOf, labelsToRecord, withLabels } from '@nines/model/labels.ts';
import { formatValue } from '@nines/promql/value.ts';
import type { ActiveElement, AlertingRule, Severity } from '../alerting/contract.ts';
import { type Health, LOOKBACK_MS, MAX_ELEMENTS, type RuleContext, newHealth } from './context.ts';
import type { Trigger, Unit } from './runner.ts';
import type { Template } from './template-parse.ts';
import { expandTemplate } from './templates.ts';
import { type Limit, type Missing, type Reading, type ThresholdFinding, judgeThreshold } from './threshold.ts';

/** One severity of a rule with its own pair of limits. */
export type Level = { readonly limit: Limit; readonly severity: Severity };

export type ThresholdSpec = {
  readonly id: string;
  readonly alertname: string;
  /** As written, for the alert's `metric` label and texts. */
  readonly metric: string;
  /** What is evaluated; several when a glob stands for several aliases. */
  readonly sources: readonly { readonly expr: string; readonly alias: string | undefined }[];
  readonly selectors: readonly (readonly Matcher[])[];
  readonly levels: readonly Level[];
  readonly forMs: Ms;
  readonly cooldownMs: Ms;
  readonly missing: Missing;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, Template>>;
  readonly origin: 'shipped' | 'file';
  readonly dashboardOnly: boolean;
};

/** How often silence is looked for: the default collection interval. */
const MISSING_CHECK_MS = 15_000;

export class ThresholdRule implements Unit {
  readonly id: string;
  readonly spec: ThresholdSpec;
  readonly selectors: readonly (readonly Matcher[])[];
  readonly health: Health = newHealth();
  readonly #context: RuleContext;
  /** Label sets that had a reading, by level, when silence means something. */
  readonly #seen = new Map<string, Labels>();

  constructor(spec: ThresholdSpec, context: RuleContext) {
    this.id = spec.id;
    this.spec = spec;
    this.selectors = spec.selectors;
    this.#context = context;
  }

  /** The end of the earliest pending alert's `for`, or the next look for silence. */
  nextAtMs(afterMs: EpochMs): EpochMs | null {
    const ends = this.#context.alerting
      .openOf(this.id)
      .filter((alert) => alert.condition === 'pending')
      .map((alert) => Math.max(alert.active_at_ms + this.spec.forMs, afterMs + 1));
    if (this.spec.missing !== 'keep') ends.push(afterMs + MISSING_CHECK_MS);
    return ends.length === 0 ? null : epochMs(Math.min(...ends));
  }

  async evaluate({ atMs }: Trigger, signal: AbortSignal): Promise<void> {
    const { alerting, clock } = this.#context;
    const startedMs = clock.monotonic();
    try {
      const samples = await this.#read(atMs, signal);
      const found = this.spec.levels.map((level) => this.#judge(level, samples, atMs));
      const active: ActiveElement[] = [];
      for (const { level, findings } of found) for (const finding of findings) active.push(await this.#element(level, finding, atMs));
      const holding = found.flatMap((level) => level.holding);
      await alerting.apply({ rule: this.#rule(), atMs, found: { kind: 'complete', active, holding } });
      Object.assign(this.health, { health: 'ok', lastError: '' });
    } catch (thrown) {
      Object.assign(this.health, { health: 'err', lastError: messageOf(thrown) });
      throw thrown;
    } finally {
      Object.assign(this.health, { evaluatedAtMs: atMs, evaluationMs: clock.monotonic() - startedMs });
    }
  }

  /** All readings, without the limit's own labels; of two with the same labels the first counts. */
  async #read(atMs: EpochMs, signal: AbortSignal): Promise<readonly Reading[]> {
    const readings = new Map<string, Reading>();
    for (const { expr, alias } of this.spec.sources) {
      for (const { labels, value } of await this.#context.query(expr, atMs, { signal })) {
        const metric = (alias ?? labelValue(labels, METRIC_NAME)) || this.spec.metric;
        const reading = { labels: withLabels(labels, { [METRIC_NAME]: '', metric }), value };
        const key = labelsKey(reading.labels);
        if (!readings.has(key)) readings.set(key, reading);
      }
    }
    if (readings.size > MAX_ELEMENTS)
      throw new Error(`the metric ${this.spec.metric} matches ${readings.size} series, more than ${MAX_ELEMENTS}`);
    return [...readings.values()];
  }

  #judge(
    level: Level,
    samples: readonly Reading[],
    atMs: EpochMs,
  ): { level: Level; findings: readonly ThresholdFinding[]; holding: readonly Labels[] } {
    const readings = samples.map(({ labels, value }) => ({ labels: this.#finalLabels(labels, level), value }));
    if (this.spec.missing === 'fire') this.#remember(readings);
    const open = this.#context.alerting
      .openOf(this.id)
      .map((alert) => ({ labels: labelsOf(alert.labels), firing: alert.condition === 'firing' }));
    // What the rule no longer says (another name, other labels after a reload) is not silent but over.
    const own = Object.entries({ ...this.spec.labels, alertname: this.spec.alertname, severity: level.severity });
    const ofLevel = (labels: Labels): boolean => own.every(([name, value]) => labelValue(labels, name) === value);
    // After a restart a series may not have come yet: silence means nothing before the lookback could show it.
    const settled = atMs >= this.#context.startedAtMs + LOOKBACK_MS;
    const { active, holding } = judgeThreshold({
      limit: level.limit,
      missing: settled ? this.spec.missing : 'keep',
      readings,
      open: open.filter(({ labels }) => ofLevel(labels)),
      seen: [...this.#seen.values()].filter(ofLevel),
    });
    return { level, findings: active, holding };
  }

  #finalLabels(labels: Labels, { severity }: Level): Labels {
    return withLabels(labels, { ...this.spec.labels, alertname: this.spec.alertname, severity });
  }

  #remember(readings: readonly Reading[]): void {
    for (const { labels } of readings) if (this.#seen.size < MAX_ELEMENTS) this.#seen.set(labelsKey(labels), labels);
  }

  async #element({ limit, severity }: Level, finding: ThresholdFinding, atMs: EpochMs): Promise<ActiveElement> {
    const { labels, value } = finding;
    const summary =
      finding.reason === 'missing'
        ? `${this.spec.metric} has no data`
        : `${this.spec.metric} is ${formatValue(rounded(value))}, limit ${limit.condition} ${limit.threshold}`;
    const annotations: Record<string, string> = { summary };
    const input = {
      labels: labelsToRecord(labels),
      value,
      externalUrl: this.#context.externalUrl,
      externalLabels: this.#context.externalLabels,
      atMs,
      query: async () => [],
    };
    for (const [name, template] of Object.entries(this.spec.annotations)) annotations[name] = await expandTemplate(template, input);
    return { labels, annotations, value, severity };
  }

  #rule(): AlertingRule {
    const { id, alertname, levels, forMs, cooldownMs, dashboardOnly } = this.spec;
    const severity = levels[0]?.severity ?? 'warning';
    return {
      id,
      kind: 'rule',
      alertname,
      severity,
      forMs,
      keepFiringForMs: ms(0),
      cooldownMs,
      teamId: this.#context.teamId,
      dashboardOnly,
    };
  }
}

/** Four significant digits, for a sentence; the value itself stays exact. */
const rounded = (value: number): number => Number(value.toPrecision(4));
