import type { Clock } from '@nines/base/clock.ts';
import type { Logger } from '@nines/base/logger.ts';
import { HOUR_MS, MINUTE_MS } from '@nines/base/units.ts';
import { labelsOf, labelValue, METRIC_NAME } from '@nines/model/labels.ts';
import type { Scope } from '@nines/model/storage.ts';
import { mustMatcher } from '@nines/base/matcher.ts';
import type { Ingest, ResolveAlias, SampleQuery } from '../../collect/contract.ts';
import type { Bus } from '../../platform/bus.ts';
import type { HealthReportView } from './contract.ts';
import { LEVELS, type Level, levelOf, stretchesOf, trendOf, worstOf } from './evaluate.ts';
import { HEALTH_CHECKS, type HealthCheckId, type Measure } from './measures.ts';

/** How often every figure is read. */
export const HEALTH_STEP_MS = MINUTE_MS;
/** The first reading waits for the first samples of the host. */
export const HEALTH_FIRST_MS = 5_000;
/** What the report tells of the past, and how far back a trend looks. */
const HISTORY_MS = 24 * HOUR_MS;
const TREND_RANGE = '6h';

const STATUS = 'nines_health_status';
const VALUE = 'nines_health_value';

export type HealthChecksDeps = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bus: Bus;
  readonly ingest: Pick<Ingest, 'appendSamples'>;
  readonly query: SampleQuery;
  readonly resolve: ResolveAlias;
  /** The value of the label `instance` of this host's samples. */
  readonly instance: string;
  readonly measures: readonly Measure[];
  /** Figures of parts of this process; undefined where there is nothing to measure. */
  readonly parts: Readonly<Record<Extract<Measure['source'], { kind: 'part' }>['part'], () => Promise<number | undefined>>>;
};

type Reading = { readonly measure: Measure; readonly value: number | undefined; readonly level: Level };

/** The five built-in health checks of this host and of Nines. Their history is series, so a restart forgets nothing. */
export class HealthChecks {
  readonly #deps: HealthChecksDeps;
  #readings: readonly Reading[] = [];
  #readAtMs: number | null = null;

  constructor(deps: HealthChecksDeps) {
    this.#deps = deps;
  }

  /** Reads every figure, stores it with the levels, and tells of checks whose level changed. */
  async step(nowMs: number): Promise<void> {
    const { ingest, bus, logger, instance } = this.#deps;
    const before = new Map(this.#readAtMs === null ? [] : levelsOf(this.#readings));
    const read = await Promise.all(this.#deps.measures.map((measure) => this.#read(measure, nowMs)));
    this.#readings = read.filter(({ measure, value }) => value !== undefined || measure.optional !== true);
    this.#readAtMs = nowMs;
    const labels = { job: 'nines', instance };
    const levels = levelsOf(this.#readings);
    await ingest.appendSamples([
      ...levels.map(([check, level]) => ({
        labels: labelsOf({ [METRIC_NAME]: STATUS, ...labels, check }),
        atMs: nowMs,
        value: LEVELS.indexOf(level),
      })),
      ...this.#readings.flatMap(({ measure, value }) =>
        value === undefined
          ? []
          : { labels: labelsOf({ [METRIC_NAME]: VALUE, ...labels, check: measure.check, measure: measure.id }), atMs: nowMs, value },
      ),
    ]);
    for (const [check, level] of levels) {
      const previous = before.get(check);
      if (previous === undefined || previous === level) continue;
      logger.info('health check changed', { check, level, previous });
      bus.publish({ topic: 'config', type: 'health.changed', atMs: nowMs, data: { check, level, previous } });
    }
  }

  /** Everything that is known, with the last day and where each figure is heading. */
  async report(): Promise<HealthReportView> {
    const toMs = this.#deps.clock.now();
    const span = { fromMs: toMs - HISTORY_MS, toMs, stepMs: HEALTH_STEP_MS };
    const scope = this.#scope();
    // Each step looks back over itself alone, so that a time without readings shows as one.
    const [history, slopes] = await Promise.all([
      this.#deps.query.range(`last_over_time(${STATUS}{job="nines"}[${HEALTH_STEP_MS}ms])`, span, { scope }),
      this.#deps.query.instant(`deriv(${VALUE}{job="nines"}[${TREND_RANGE}]) * 3600`, toMs, { scope }),
    ]);
    const points = new Map(history.map((series) => [labelValue(series.labels, 'check'), series]));
    const perHour = new Map(slopes.map(({ labels, value }) => [`${labelValue(labels, 'check')}.${labelValue(labels, 'measure')}`, value]));
    const levels = new Map(levelsOf(this.#readings));
    const checks = (Object.keys(HEALTH_CHECKS) as HealthCheckId[]).map((id) => {
      const readings = this.#readings.filter(({ measure }) => measure.check === id);
      const stretches = stretchesOf(points.get(id) ?? { times: [], values: [] }, span);
      return {
        id,
        name: HEALTH_CHECKS[id],
        level: levels.get(id) ?? 'unknown',
        why: whyOf(readings),
        measures: readings.map((reading) => measureView(reading, perHour.get(`${id}.${reading.measure.id}`))),
        history: stretches.map(({ fromMs, toMs: endMs, level }) => ({ from_at_ms: fromMs, to_at_ms: endMs, level })),
      };
    });
    return {
      at_ms: this.#readAtMs,
      interval_ms: HEALTH_STEP_MS,
      level: worstOf(checks.map(({ level }) => level)),
      from_at_ms: span.fromMs,
      to_at_ms: toMs,
      checks,
    };
  }

  async #read(measure: Measure, nowMs: number): Promise<Reading> {
    const value = await this.#valueOf(measure, nowMs).catch((thrown: unknown) => {
      this.#deps.logger.warn('a health figure cannot be read', { check: measure.check, measure: measure.id, error: String(thrown) });
      return undefined;
    });
    return { measure, value, level: levelOf(value, measure.thresholds) };
  }

  async #valueOf({ source }: Measure, nowMs: number): Promise<number | undefined> {
    if (source.kind === 'part') return this.#deps.parts[source.part]();
    const expr = source.kind === 'expr' ? source.expr : this.#deps.resolve(source.metric)?.expr;
    if (expr === undefined) throw new Error(`expected a dotted name that is known, found ${JSON.stringify(source)}`);
    const found = await this.#deps.query.instant(expr, nowMs, { scope: this.#scope() });
    const values = found.flatMap(({ value }) => (Number.isFinite(value) ? value : []));
    return values.length === 0 ? undefined : Math.max(...values);
  }

  #scope(): Scope {
    return { matchers: [mustMatcher('instance', '=', this.#deps.instance)] };
  }
}

const levelsOf = (readings: readonly Reading[]): readonly (readonly [HealthCheckId, Level])[] =>
  (Object.keys(HEALTH_CHECKS) as HealthCheckId[]).map((check) => [
    check,
    worstOf(readings.filter(({ measure }) => measure.check === check).map(({ level }) => level)),
  ]);

/** What is not well, in words; null when everything is. */
function whyOf(readings: readonly Reading[]): string | null {
  const clauses = readings.flatMap(({ measure, value, level }) => {
    if (level === 'ok') return [];
    if (value === undefined) return `${measure.name}: no figure`;
    const limit = level === 'critical' ? measure.thresholds.critical : measure.thresholds.warning;
    return `${measure.name}: ${Number(value.toPrecision(3))}, ${level} from ${limit}`;
  });
  return clauses.length === 0 ? null : clauses.join('; ');
}

function measureView(
  { measure, value, level }: Reading,
  perHour: number | undefined,
): HealthReportView['checks'][number]['measures'][number] {
  const trend =
    value === undefined || perHour === undefined || !Number.isFinite(perHour) ? null : trendOf(value, perHour, measure.thresholds);
  return {
    id: measure.id,
    name: measure.name,
    unit: measure.unit,
    value: value ?? null,
    level,
    warning: measure.thresholds.warning,
    critical: measure.thresholds.critical,
    trend: trend === null ? null : { per_hour: trend.perHour, critical_in_ms: trend.criticalInMs },
  };
}
