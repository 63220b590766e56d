/**
 * A rule of the configuration or a pack at work. All their kinds come down to this one form: a figure per series against limits. It
 * runs when a sample of one of its series arrives; timers serve `for`, `keep_firing_for` and silence alone.
 */
import { messageOf } from '@nines/base/errors.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { type EpochMs, type Ms, epochMs } from '@nines/base/units.ts';
import {
  type Labels,
  METRIC_NAME,
  formatLabels,
  labelValue,
  labelsKey,
  labelsOf,
  labelsToRecord,
  withLabels,
} from '@nines/model/labels.ts';
import type { ActiveElement, AlertingRule, AlertView, Severity } from '../alerting/contract.ts';
import {
  type FigureContext,
  type Health,
  LOOKBACK_MS,
  MAX_ELEMENTS,
  type RuleElement,
  type Span,
  newHealth,
  vectorsOf,
} from './context.ts';
import { type Figure, type FigureReading, type Situation, inWords } from './figures/figure.ts';
import type { RuleKind } from './kinds.ts';
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
  readonly kind: RuleKind;
  /** What is compared with the limits; each call makes one that remembers nothing yet. */
  readonly newFigure: () => Figure;
  readonly selectors: readonly (readonly Matcher[])[];
  readonly levels: readonly Level[];
  readonly forMs: Ms;
  readonly keepFiringForMs: Ms;
  readonly cooldownMs: Ms;
  readonly missing: Missing;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, Template>>;
  /** The pack that brings it; undefined for one of the configuration. */
  readonly pack: string | undefined;
  /** `nines.yml:12` where it is written. */
  readonly place: string;
  readonly dashboardOnly: boolean;
};

/** How often silence is looked for: the default collection interval. */
const MISSING_CHECK_MS = 15_000;

/** Steps of the past that are asked for at once, so that many series of a long past do not stand in memory together. */
const STEPS_AT_ONCE = 60;

export class ThresholdRule implements Unit {
  readonly id: string;
  readonly spec: ThresholdSpec;
  readonly selectors: readonly (readonly Matcher[])[];
  readonly health: Health = newHealth();
  readonly #context: FigureContext;
  readonly #figure: Figure;
  #knowsPast = false;
  /** Label sets that had a reading, by level, when silence means something. */
  readonly #seen = new Map<string, Labels>();

  constructor(spec: ThresholdSpec, context: FigureContext) {
    this.id = spec.id;
    this.spec = spec;
    this.selectors = spec.selectors;
    this.#context = context;
    this.#figure = spec.newFigure();
  }

  /** The earliest end of a `for` or a `keep_firing_for`, the next look for silence, or when the figure wants it. */
  nextAtMs(afterMs: EpochMs): EpochMs | null {
    const { forMs, keepFiringForMs, missing, kind } = this.spec;
    const ends = this.#context.alerting.openOf(this.id).flatMap((alert): number[] => {
      if (alert.condition === 'pending') return [Math.max(alert.active_at_ms + forMs, afterMs + 1)];
      return alert.keep_firing_since_ms === null ? [] : [Math.max(alert.keep_firing_since_ms + keepFiringForMs, afterMs + 1)];
    });
    // A figure of absence knows when silence is due.
    if (missing !== 'keep' && kind !== 'absence') ends.push(afterMs + MISSING_CHECK_MS);
    const wanted = this.#figure.nextAtMs?.(afterMs) ?? null;
    if (wanted !== null) ends.push(wanted);
    return ends.length === 0 ? null : epochMs(Math.min(...ends));
  }

  async evaluate({ atMs, kind }: Trigger, signal: AbortSignal): Promise<void> {
    const { alerting, clock } = this.#context;
    const startedMs = clock.monotonic();
    const faults = new Set<string>();
    try {
      await this.#learnPast(atMs, signal);
      const vectors = await this.#vectors((expr, offsetMs) => this.#context.query(expr, atMs - offsetMs, { signal }));
      const readings = this.#figure.read(vectors, this.#situation(atMs, kind === 'woken'));
      if (readings.length > MAX_ELEMENTS) throw tooMany(this.spec.metric, readings.length);
      const found = this.spec.levels.map((level) => this.#judge(level, readings, atMs));
      const active: ActiveElement[] = [];
      for (const { level, findings } of found) {
        for (const finding of findings) active.push(await this.#element(level, finding, { atMs, faults }));
      }
      const holding = found.flatMap((level) => level.holding);
      await alerting.apply({ rule: this.#rule(), atMs, found: { kind: 'complete', active, holding } });
      const [fault] = faults;
      Object.assign(this.health, { health: 'ok', lastError: '', fault: fault ?? '', undecided: undecidedIn(readings) });
    } catch (thrown) {
      Object.assign(this.health, { health: 'err', lastError: messageOf(thrown) });
      throw thrown;
    } finally {
      Object.assign(this.health, { evaluatedAtMs: atMs, evaluationMs: clock.monotonic() - startedMs });
      const message = this.health.lastError || this.health.fault;
      if (!signal.aborted) this.#context.noteHealth?.(this.id, { message, place: this.spec.place, atMs });
    }
  }

  /** Tells the figure, once, what it would have seen had it always been there. */
  async #learnPast(atMs: EpochMs, signal: AbortSignal): Promise<void> {
    const { warmUp } = this.#figure;
    if (warmUp === undefined || this.#knowsPast) return;
    const { lengthMs, stepMs } = warmUp;
    const endMs = Math.floor((atMs - 1) / stepMs) * stepMs;
    const sliceMs = STEPS_AT_ONCE * stepMs;
    for (let fromMs = endMs - Math.floor(lengthMs / stepMs) * stepMs; fromMs <= endMs; fromMs += sliceMs) {
      const toMs = Math.min(fromMs + sliceMs - stepMs, endMs);
      const replay = await this.#replay({ fromMs, toMs, stepMs }, signal);
      for (let pastMs = fromMs; pastMs <= toMs; pastMs += stepMs) {
        const vectors = await this.#vectors(async (expr, offsetMs) => replay(expr, offsetMs, pastMs));
        this.#figure.read(vectors, this.#situation(epochMs(pastMs), true));
      }
    }
    this.#knowsPast = true;
  }

  async #replay(span: Span, signal: AbortSignal): Promise<(expr: string, offsetMs: number, atMs: number) => readonly RuleElement[]> {
    const answers = new Map<string, ReadonlyMap<number, readonly RuleElement[]>>();
    for (const { sources, offsetMs } of this.#figure.inputs) {
      for (const { expr } of sources) {
        const shifted = { fromMs: span.fromMs - offsetMs, toMs: span.toMs - offsetMs, stepMs: span.stepMs };
        answers.set(`${offsetMs} ${expr}`, vectorsOf(await this.#context.range(expr, shifted, { signal })));
      }
    }
    return (expr, offsetMs, atMs) => answers.get(`${offsetMs} ${expr}`)?.get(atMs - offsetMs) ?? [];
  }

  #situation(atMs: EpochMs, woken: boolean): Situation {
    let firing: ReadonlySet<string> | undefined;
    const isFiring = (labels: Labels): boolean => {
      firing ??= new Set(
        this.#context.alerting
          .openOf(this.id)
          .filter(isFiringNow)
          .map((alert) => labelsKey(labelsOf(alert.labels))),
      );
      return this.spec.levels.some((level) => firing?.has(labelsKey(this.#finalLabels(labels, level))) === true);
    };
    return { atMs, woken, isFiring, startedAtMs: this.#context.startedAtMs };
  }

  /** The readings of each input, without the limit's own labels; of two with the same labels the first counts. */
  async #vectors(ask: (expr: string, offsetMs: number) => Promise<readonly RuleElement[]>): Promise<readonly (readonly Reading[])[]> {
    const vectors: (readonly Reading[])[] = [];
    for (const { sources, offsetMs, metric } of this.#figure.inputs) {
      const readings = new Map<string, Reading>();
      for (const { expr, alias } of sources) {
        for (const { labels, value } of await ask(expr, offsetMs)) {
          const named = (alias ?? labelValue(labels, METRIC_NAME)) || metric;
          const reading = { labels: withLabels(labels, { [METRIC_NAME]: '', metric: named }), value };
          const key = labelsKey(reading.labels);
          if (!readings.has(key)) readings.set(key, reading);
        }
      }
      if (readings.size > MAX_ELEMENTS) throw tooMany(metric, readings.size);
      vectors.push([...readings.values()]);
    }
    return vectors;
  }

  #judge(
    level: Level,
    samples: readonly FigureReading[],
    atMs: EpochMs,
  ): { level: Level; findings: readonly ThresholdFinding<FigureReading>[]; holding: readonly Labels[] } {
    const readings = samples.map((reading) => ({ ...reading, labels: this.#finalLabels(reading.labels, level) }));
    refuseRepeats(readings);
    if (this.spec.missing === 'fire') this.#remember(readings);
    const open = this.#context.alerting.openOf(this.id).map((alert) => ({
      labels: labelsOf(alert.labels),
      firing: isFiringNow(alert),
      lapsing: alert.keep_firing_since_ms !== null,
    }));
    // What the rule no longer says (another name, other labels after a reload) is not silent but over.
    const own = Object.entries({ ...this.spec.labels, alertname: this.spec.alertname, severity: level.severity });
    const ofLevel = (labels: Labels): boolean => own.every(([name, value]) => labelValue(labels, name) === value);
    // After a restart a series may not have come yet: silence means nothing before the lookback could show it.
    const settled = this.spec.kind === 'absence' || atMs >= this.#context.startedAtMs + LOOKBACK_MS;
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

  async #element(
    { limit, severity }: Level,
    finding: ThresholdFinding<FigureReading>,
    { atMs, faults }: { readonly atMs: EpochMs; readonly faults: Set<string> },
  ): Promise<ActiveElement> {
    const { labels, value } = finding;
    const annotations: Record<string, string> = { summary: summaryOf(this.spec.metric, finding, limit) };
    const input = {
      labels: labelsToRecord(labels),
      value,
      externalUrl: this.#context.externalUrl,
      externalLabels: this.#context.externalLabels,
      atMs,
      query: async () => [],
      onFault: (fault: string) => void faults.add(fault),
    };
    for (const [name, template] of Object.entries(this.spec.annotations)) annotations[name] = await expandTemplate(template, input);
    return { labels, annotations, value, severity };
  }

  #rule(): AlertingRule {
    const { id, alertname, levels, forMs, keepFiringForMs, cooldownMs, dashboardOnly } = this.spec;
    const severity = levels[0]?.severity ?? 'warning';
    return {
      id,
      kind: 'rule',
      alertname,
      severity,
      forMs,
      keepFiringForMs,
      cooldownMs,
      teamId: this.#context.teamId,
      dashboardOnly,
    };
  }
}

/** What is kept firing for a while has met its clear threshold. */
const isFiringNow = ({ condition, keep_firing_since_ms: sinceMs }: AlertView): boolean => condition === 'firing' && sinceMs === null;

const tooMany = (metric: string, count: number): Error =>
  new Error(`the metric ${metric} matches ${count} series, more than ${MAX_ELEMENTS}`);

/** Labels of the rule may hide those that tell series apart: which of the two an alert is about nobody would know. */
/** The commonest reason, and of how many series. */
function undecidedIn(readings: readonly FigureReading[]): string {
  const counts = new Map<string, number>();
  for (const { why } of readings) if (why !== undefined) counts.set(why, (counts.get(why) ?? 0) + 1);
  const [most] = [...counts].toSorted(([, one], [, other]) => other - one);
  if (most === undefined) return '';
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return `${all} of ${readings.length} series undecided: ${most[0]}`;
}

function refuseRepeats(readings: readonly Reading[]): void {
  const seen = new Set<string>();
  for (const { labels } of readings) {
    const key = labelsKey(labels);
    if (seen.has(key)) throw new Error(`two series give alerts with the same labels ${formatLabels(labels)}`);
    seen.add(key);
  }
}

function summaryOf(metric: string, finding: ThresholdFinding<FigureReading>, limit: Limit): string {
  if (finding.reason === 'missing') return `${metric} has no data`;
  return finding.words?.(limit) ?? `${metric} is ${inWords(finding.value)}, limit ${limit.condition} ${limit.threshold}`;
}
