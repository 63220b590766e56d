import { AppError } from '@nines/base/errors.ts';
import { DAY_MS, type EpochMs, epochMs } from '@nines/base/units.ts';
import { isZone } from '@nines/maths/calendar/zone.ts';
import { periodOfSpan, periodsBefore, unknownZone } from '@nines/maths/calendar/period.ts';
import { sliceStart } from '@nines/maths/slo/slices.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import { unionSpans } from '@nines/maths/slo/window.ts';
import type { Kysely } from 'kysely';
import { type Ledger, downtimeToWire } from '../../availability/contract.ts';
import type { Database } from '../../platform/db/schema.ts';
import type { Maintenance } from '../../maintenance/contract.ts';
import type { SlaBook } from '../book.ts';
import { SLA_CODES } from '../contract.ts';
import { type SlaFacts, evaluateWindow, isInEvents } from '../evaluate.ts';
import { factsOf, outagesOf } from '../facts.ts';
import { type SlaOverlays, overlaysOf } from '../overlay-terms.ts';
import { type Customer, type SlaSpec, type SlaTerms, termsOf } from '../spec.ts';
import { SETTLE_MS, undone } from '../late.ts';
import { sliceRuns, sliceUndos } from '../slice-store.ts';
import { type ContractVersion, contractVersions, violationsOf } from '../store.ts';
import { toView } from '../view.ts';
import { type ApprovedExclusion, approvedAt } from './exclusions.ts';
import type { StatementInputs, TrendPoint } from './statement.ts';
import { exclusionsOf } from './store.ts';

/** What a statement is asked about. */
export type Question = {
  readonly sla: string;
  readonly period: Span;
  /** IANA; names the period and what came before it. */
  readonly zone: string;
  /** One of the contract's customers. */
  readonly customer?: string;
  /** What was known then; absent: what is known. */
  readonly knownAtMs?: EpochMs;
  /** Other terms than those that were agreed on, and other time that people take out. */
  readonly revise?: { readonly spec: (spec: SlaSpec) => SlaSpec; readonly exclusions: (agreed: readonly Span[]) => readonly Span[] };
  /** False: the periods before are not asked about. */
  readonly trend?: boolean;
};

export type GatherDeps = {
  readonly db: Kysely<Database>;
  readonly book: SlaBook;
  readonly ledger: Pick<Ledger, 'timeline' | 'monitoredSinceMs' | 'downtimes'>;
  readonly maintenance: Maintenance;
};

/** Violations of one statement. */
const MAX_VIOLATIONS = 1_000;
/** Longest period of one statement: a leap year and a day. */
const MAX_PERIOD_MS = 367 * DAY_MS;
/** Periods of a trend, unless they reach back too far. */
const TREND_PERIODS = 6;
const MAX_TREND_MS = 400 * DAY_MS;

/** Everything that a contract and the ledger say about time, as far as it was known at one instant. */
export type Known = {
  readonly contract: ContractVersion;
  readonly versions: readonly ContractVersion[];
  readonly terms: SlaTerms;
  readonly facts: SlaFacts;
  readonly exclusions: readonly ApprovedExclusion[];
  readonly outages: readonly Span[];
  readonly overlays: SlaOverlays;
  /** `[from, to)` without what nobody knows yet. */
  readonly window: Span;
  readonly isFinal: boolean;
  readonly trendPeriods: readonly (Span & { readonly name: string | null })[];
};

/** The inputs of a statement. `AppError` `sla_not_found`, `range_invalid`, `customer_unknown`. */
export async function gather(deps: GatherDeps, question: Question, nowMs: EpochMs): Promise<StatementInputs> {
  const known = await readKnown(deps, question, nowMs);
  const { contract, terms, facts, window } = known;
  const { period, zone, knownAtMs } = question;
  const customer = customerOf(contract, question.customer);
  const [downtimes, violations] = await Promise.all([
    deps.ledger.downtimes({
      service: contract.spec.service,
      fromMs: window.fromMs,
      toMs: window.toMs,
      ...(knownAtMs === undefined ? {} : { knownAtMs }),
    }),
    violationsOf(deps.db, contract.sla, { ...window, limit: MAX_VIOLATIONS }),
  ]);
  const evaluation = evaluateWindow(terms, facts, window, period.toMs - window.toMs);
  return {
    evaluation,
    view: toView(evaluation, { contract, origin: deps.book.get(contract.sla)?.origin ?? { kind: 'ui' } }, 0),
    period,
    calendar: { name: periodOfSpan(period, zone)?.name ?? null, zone, tz: zone === 'UTC' ? null : (process.versions['tz'] ?? null) },
    isFinal: known.isFinal,
    knownAtMs: knownAtMs ?? null,
    customer,
    contract,
    versions: known.versions,
    intervals: facts.intervals,
    exclusions: known.exclusions,
    outages: known.outages,
    overlays: known.overlays,
    downtimes: downtimes.map(downtimeToWire),
    violations,
    trend: known.trendPeriods.flatMap((earlier) => trendPoint(known, earlier)),
  };
}

/** Reads contract, ledger, slices and exclusions over the period and the periods before it. */
export async function readKnown(deps: GatherDeps, question: Question, nowMs: EpochMs): Promise<Known> {
  const asOfMs = epochMs(Math.min(nowMs, question.knownAtMs ?? nowMs));
  const versions = (await contractVersions(deps.db, question.sla)).filter((version) => version.recordedAtMs <= asOfMs);
  const contract = versions.findLast((version) => version.effectiveFromMs < question.period.toMs) ?? versions[0];
  if (contract === undefined) throw new AppError('not_found', SLA_CODES.notFound, `there is no SLA "${question.sla}"`);
  checkQuestion(question, asOfMs);
  const { revise } = question;
  const terms = termsOf(revise === undefined ? contract.spec : revise.spec(contract.spec));
  const window: Span = { fromMs: question.period.fromMs, toMs: epochMs(Math.min(question.period.toMs, asOfMs)) };
  const service = contract.spec.service;
  const sinceMs = await deps.ledger.monitoredSinceMs(service);
  const trendPeriods = sinceMs === null || question.trend === false ? [] : trendOf(question).filter((earlier) => earlier.toMs > sinceMs);
  const reach: Span = { fromMs: epochMs((trendPeriods[0]?.fromMs ?? window.fromMs) - terms.lookbackMs), toMs: window.toMs };
  const [timeline, runs, all] = await Promise.all([
    deps.ledger.timeline(service, reach.fromMs, reach.toMs, question.knownAtMs === undefined ? {} : { knownAtMs: question.knownAtMs }),
    runsOf(deps, question, reach.fromMs),
    exclusionsOf(deps.db, contract.sla),
  ]);
  const exclusions = approvedAt(all, asOfMs);
  const overlays = overlaysOf(terms, deps.maintenance, { ...reach, toMs: question.period.toMs }, asOfMs);
  const isSliced = contract.spec.indicator.kind !== 'availability';
  return {
    contract,
    versions,
    terms,
    facts: factsOf(
      { terms, runs: [...runs], exclusions: unionSpans(revise === undefined ? exclusions : revise.exclusions(exclusions)) },
      { intervals: timeline.intervals, sinceMs, overlays },
      reach,
    ),
    exclusions,
    overlays,
    outages: excludesOutages(contract.spec) ? outagesOf(timeline.intervals) : [],
    window,
    isFinal: question.period.toMs + (isSliced ? SETTLE_MS : 0) <= asOfMs,
    trendPeriods,
  };
}

/** Verdicts of slices as they are, or as they were known to be. */
async function runsOf({ db }: GatherDeps, { sla, knownAtMs }: Question, fromMs: number) {
  const runs = await sliceRuns(db, sla, fromMs);
  return knownAtMs === undefined ? runs : undone(runs, await sliceUndos(db, sla, knownAtMs));
}

const excludesOutages = ({ indicator }: SlaSpec): boolean => indicator.kind !== 'availability' && indicator.while_down === 'exclude';

function trendOf({ period, zone }: Question): readonly (Span & { readonly name: string | null })[] {
  const count = Math.min(TREND_PERIODS, Math.floor(MAX_TREND_MS / (period.toMs - period.fromMs)));
  return periodsBefore(period, zone, count);
}

function trendPoint({ terms, facts }: Known, period: Span & { readonly name: string | null }): TrendPoint {
  const { attained, budget, inTime, verdict } = evaluateWindow(terms, facts, period);
  return {
    from_at_ms: period.fromMs,
    to_at_ms: period.toMs,
    name: period.name,
    attained,
    status: verdict.status,
    spent_ms: inTime.spentMs,
    total_ms: inTime.totalMs,
    events: isInEvents(terms) ? { spent: budget.spentMs, total: budget.totalMs } : null,
  };
}

function customerOf({ spec }: ContractVersion, id: string | undefined): Customer | null {
  if (id === undefined) return null;
  const found = spec.customers?.find((customer) => customer.id === id);
  if (found !== undefined) return found;
  const known = spec.customers?.map((customer) => customer.id).join(', ') ?? '';
  const hint = known === '' ? 'it names none' : `it names ${known}`;
  throw new AppError('bad_input', SLA_CODES.customer, `the contract "${spec.id}" has no customer "${id}"; ${hint}`, { field: 'customer' });
}

function checkQuestion({ period, zone, knownAtMs }: Question, asOfMs: EpochMs): void {
  const refuse = (message: string): never => {
    throw new AppError('bad_input', SLA_CODES.range, message);
  };
  if (!isZone(zone)) refuse(unknownZone(zone));
  if (period.fromMs >= period.toMs) refuse('the period is empty: `from` must be before `to`');
  if (period.toMs - period.fromMs > MAX_PERIOD_MS) refuse('the period is longer than a year');
  if (period.fromMs >= asOfMs) {
    refuse(
      knownAtMs === undefined
        ? 'the period lies in the future; a statement is about what was'
        : 'the period begins after the instant whose knowledge is asked for',
    );
  }
}

/** Statements that are issued end with a slice: half a slice has no verdict. `AppError` `period_not_aligned`. */
export function judgeAlignment({ indicator }: Pick<SlaSpec, 'indicator'>, period: Span): void {
  if (indicator.kind === 'availability') return;
  const { slice_ms: sliceMs } = indicator;
  const edge = ([period.fromMs, period.toMs] as const).find((at) => sliceStart(at, sliceMs) !== at);
  if (edge === undefined) return;
  const [before, after] = [sliceStart(edge, sliceMs), sliceStart(edge, sliceMs) + sliceMs].map((at) => new Date(at).toISOString());
  throw new AppError(
    'bad_input',
    SLA_CODES.alignment,
    `the period cuts a slice of the contract in two at ${new Date(edge).toISOString()}; write ${before} or ${after}`,
  );
}
