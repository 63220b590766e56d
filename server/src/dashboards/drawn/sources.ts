import { messageOf } from '@nines/base/errors.ts';
import { literalPattern } from '@nines/base/glob.ts';
import { parseMatchers } from '@nines/base/matcher-text.ts';
import type { EpochMs } from '@nines/base/units.ts';
import { differingLabels } from '@nines/maths/dashboards/differing-labels.ts';
import { lacksPast, withEarlier } from '@nines/maths/dashboards/earlier.ts';
import type { NamedSeries } from '@nines/maths/dashboards/figures.ts';
import { type Values, interpolate, legendOf } from '@nines/maths/dashboards/interpolate.ts';
import type { State } from '@nines/maths/slo/types.ts';
import { labelsToRecord } from '@nines/model/labels.ts';
import { visible } from '@nines/model/scope.ts';
import type { Scope } from '@nines/model/storage.ts';
import type { AlertView } from '../../alerting/contract.ts';
import type { Ledger } from '../../availability/contract.ts';
import type { CheckSpec } from '../../checks/contract.ts';
import type { SampleQuery } from '../../collect/contract.ts';
import type { IncidentView } from '../../incidents/contract.ts';
import { type ServiceCatalogue, type ServiceEntry, labelsOfService } from '../../services/contract.ts';
import type { Slas, SlaView, TrendView } from '../../sla/contract.ts';
import type { Source, SourceKind } from '../model.ts';

/** Where the figures of drawn panels come from. */
export type Sources = {
  readonly query: SampleQuery;
  readonly services: ServiceCatalogue;
  readonly ledger: Pick<Ledger, 'current' | 'timeline'>;
  readonly slas: Pick<Slas, 'list'>;
  /** The figures of a contract over a stretch, from the ledger. */
  readonly slaTrend: (sla: string, fromMs: number, toMs: number) => Promise<TrendView>;
  readonly checks: { list(): readonly CheckSpec[]; stateOf(check: string): State };
  /** Newest first, at most so many. */
  readonly alerts: (status: 'open' | 'all', limit: number) => Promise<readonly AlertView[]>;
  readonly incidents: (status: 'open' | 'all', limit: number) => Promise<readonly IncidentView[]>;
};

/** Whether figures of this kind may be read at all, whatever the scope. */
export type Reads = (from: SourceKind) => boolean;

/** Of which stretch, with which values, and what of it all may be seen. */
export type Asked = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly values: Values;
  readonly scope: Scope;
  readonly reads: Reads;
  readonly signal?: AbortSignal;
  /** Whoever looks is nobody: what fails is not explained. */
  readonly isPublic: boolean;
};

/** About one value for two points of a drawing. */
const POINTS = 240;
const SHORTEST_STEP_MS = 1_000;
/** How often this product writes its own figures. */
const WRITTEN_EVERY_MS = 15_000;
const MOST_SERIES = 50;
const MOST_RECORDS = 100;
/** Contracts whose past is reckoned for one panel. */
const MOST_TRENDS = 20;

export const stepOf = ({ fromMs, toMs }: Pick<Asked, 'fromMs' | 'toMs'>): number =>
  Math.max(SHORTEST_STEP_MS, Math.ceil((toMs - fromMs) / POINTS / SHORTEST_STEP_MS) * SHORTEST_STEP_MS);

/** What a panel reads, as the server says it of one source. */
export class Reading {
  readonly #sources: Sources;
  readonly asked: Asked;

  constructor(sources: Sources, asked: Asked) {
    this.#sources = sources;
    this.asked = asked;
  }

  /** Lengths and values put into a text. */
  text(written: string): string {
    const { fromMs, toMs, values } = this.asked;
    const rangeMs = Math.round((toMs - fromMs) / 1000) * 1000;
    return interpolate(written, values, { rangeMs, stepMs: stepOf(this.asked), writtenEveryMs: WRITTEN_EVERY_MS });
  }

  /** Series of a source in PromQL, or of contracts. The engine's message is thrown. */
  async series(source: Source): Promise<readonly NamedSeries[]> {
    const found: NamedSeries[] = [];
    for (const [query, { expr, legend, instant }] of this.#exprs(source).entries()) {
      const vectors = instant ? await this.#instant(expr) : await this.#range(expr);
      const differing = differingLabels(vectors.map(({ labels }) => labels));
      for (const one of vectors) found.push({ ...one, query, name: legendOf(legend, one.labels, differing) });
      if (found.length >= MOST_SERIES) break;
    }
    const whole = source.from === 'slas' ? await this.#withPast(source, found) : found;
    return whole.slice(0, MOST_SERIES);
  }

  /** Series of contracts, from the ledger where the stretch begins before anything was stored of them. */
  async #withPast(source: Extract<Source, { from: 'slas' }>, stored: readonly NamedSeries[]): Promise<readonly NamedSeries[]> {
    const { fromMs, toMs } = this.asked;
    const grid = { fromMs, toMs, stepMs: stepOf(this.asked) };
    const whole = [...stored];
    for (const { id } of (await this.slas(source.ids)).slice(0, MOST_TRENDS)) {
      const place = stored.findIndex(({ labels }) => labels['sla'] === id);
      const one = stored[place];
      if (!lacksPast(one?.points ?? [], grid)) continue;
      const { points } = await this.#sources.slaTrend(id, fromMs, toMs);
      const past = points.map((at) => ({ atMs: at.at_ms, value: source.figure === 'attained' ? at.attained : at.budget_left }));
      const early = withEarlier(one?.points ?? [], past, grid);
      if (one !== undefined) whole[place] = { ...one, points: early };
      else if (early.length > 0) whole.push({ name: id, labels: { sla: id }, query: 0, points: early });
    }
    return whole;
  }

  #exprs(source: Source): readonly { readonly expr: string; readonly legend: string | undefined; readonly instant: boolean }[] {
    if (source.from === 'slas') {
      const of = source.ids.length === 0 ? '' : `{sla=~${JSON.stringify(source.ids.map(literalPattern).join('|'))}}`;
      const left = `1 - sla_error_budget_spent_seconds${of} / sla_error_budget_seconds${of}`;
      return [{ expr: source.figure === 'attained' ? `sla_attained_ratio${of}` : left, legend: '{{sla}}', instant: false }];
    }
    if (source.from !== 'promql') return [];
    return source.queries
      .filter(({ hidden }) => hidden !== true)
      .map(({ expr, legend, instant }) => ({ expr: this.text(expr), legend, instant: instant === true }));
  }

  async #instant(expr: string) {
    const { toMs, scope, signal } = this.asked;
    const found = await this.#sources.query.instant(expr, toMs, { scope, ...(signal === undefined ? {} : { signal }) });
    return found.map(({ labels, value }) => ({ labels: labelsToRecord(labels), points: [[toMs, value] as const] }));
  }

  async #range(expr: string) {
    const { fromMs, toMs, scope, signal } = this.asked;
    const stepMs = stepOf(this.asked);
    const span = { fromMs: Math.floor(fromMs / stepMs) * stepMs, toMs, stepMs };
    const found = await this.#sources.query.range(expr, span, { scope, wholeSteps: true, ...(signal === undefined ? {} : { signal }) });
    return found.map(({ labels, times, values }) => ({
      labels: labelsToRecord(labels),
      points: Array.from(times, (atMs, i) => [atMs, values[i] ?? Number.NaN] as const),
    }));
  }

  /** Services that may be seen, worst first. */
  services(ids: readonly string[]): readonly (ServiceEntry & { readonly state: State; readonly sinceMs: number })[] {
    const { services, ledger } = this.#sources;
    return services
      .list()
      .filter((one) => among(ids, one.id) && visible(this.asked.scope, labelsOfService(one)))
      .map((one) => {
        const { state, sinceMs } = ledger.current(one.id);
        return { ...one, state, sinceMs };
      })
      .sort((a, b) => WORST.indexOf(a.state) - WORST.indexOf(b.state) || (a.name < b.name ? -1 : 1));
  }

  async strips(ids: readonly string[]) {
    const { fromMs, toMs } = this.asked;
    const shown = this.services(ids).slice(0, MOST_RECORDS);
    return Promise.all(
      shown.map(async ({ id, name }) => {
        const { intervals } = await this.#sources.ledger.timeline(id, fromMs as EpochMs, toMs as EpochMs);
        return { name, intervals: intervals.map((one) => ({ fromMs: one.fromMs, toMs: one.toMs, state: one.state })) };
      }),
    );
  }

  async slas(ids: readonly string[]): Promise<readonly SlaView[]> {
    const found = await this.#sources.slas.list(this.asked.toMs as EpochMs);
    return found.filter(({ id, service }) => among(ids, id) && this.#seesService(service)).sort(byVerdict);
  }

  checks(services: readonly string[]) {
    return this.#sources.checks
      .list()
      .filter(({ service }) => among(services, service) && this.#seesService(service))
      .slice(0, MOST_RECORDS)
      .map((one) => ({ ...one, state: this.#sources.checks.stateOf(one.id) }));
  }

  async alerts({ status, severity, matchers }: Extract<Source, { from: 'alerts' }>): Promise<readonly AlertView[]> {
    const parsed = parseMatchers(this.text(matchers));
    const wanted = matchers !== '' && parsed.ok ? parsed.value : [];
    const found = await this.#sources.alerts(status, MOST_COUNTED);
    return found.filter((one) => {
      const labels = {
        ...one.labels,
        severity: one.severity,
        alertname: one.alertname,
        ...(one.service === null ? {} : { service: one.service }),
      };
      return (
        this.#seesLabels(labels) &&
        among(severity, one.severity) &&
        wanted.every(({ name, matches }) => matches((labels as Readonly<Record<string, string>>)[name] ?? ''))
      );
    });
  }

  async incidents(status: 'open' | 'all'): Promise<readonly IncidentView[]> {
    const found = await this.#sources.incidents(status, MOST_RECORDS);
    return found.filter(({ services }) =>
      services.length === 0 ? visible(this.asked.scope, {}) : services.every((id) => this.#seesService(id)),
    );
  }

  #seesService(id: string): boolean {
    const entry = this.#sources.services.get(id);
    return visible(this.asked.scope, entry === undefined ? { service: id } : labelsOfService(entry));
  }

  #seesLabels(labels: Readonly<Record<string, string>>): boolean {
    const entry = labels['service'] === undefined ? undefined : this.#sources.services.get(labels['service']);
    return visible(this.asked.scope, { ...(entry === undefined ? {} : labelsOfService(entry)), ...labels });
  }
}

const MOST_COUNTED = 1_000;
const among = (wanted: readonly string[], one: string): boolean => wanted.length === 0 || wanted.includes(one);
const WORST: readonly State[] = ['down', 'degraded', 'unknown', 'up'];
const VERDICTS: readonly SlaView['status'][] = ['breached', 'at_risk', 'unknown', 'met'];
const byVerdict = (a: SlaView, b: SlaView): number => VERDICTS.indexOf(a.status) - VERDICTS.indexOf(b.status) || (a.id < b.id ? -1 : 1);

/** A sentence for what failed: never more than the engine says. */
export const failure = (thrown: unknown): string => messageOf(thrown).slice(0, 300);
