/**
 * What alerts cost and are worth: how many, how long until somebody took them and until they ended, which rules make noise and
 * what would quieten them. Pure. An alert is relevant when somebody acted upon it; below the target of 95 % the rules that
 * nobody acts upon are worth a change.
 */
import { formatDuration } from '@nines/base/duration.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import type { RuleReads, Severity } from './contract.ts';
import type { FiredAlert } from './history-store.ts';

export const RELEVANCE_TARGET = 0.95;

/** Ended before anybody could have looked. */
const SHORT_MS = 5 * MINUTE_MS;
/** Back this soon after its end, an alert is the same problem at the edge of its threshold. */
const BACK_MS = 10 * MINUTE_MS;
/** Fewer say nothing about a rule. */
const MIN_FIRED = 5;
/** A change that spares less is not worth making. */
const MIN_SPARED = 0.3;
const LONGER_FOR_MS = [1, 2, 5, 10, 15, 30, 60].map((minutes) => minutes * MINUTE_MS);
/** Up to this long a stretch is shown by the hour. */
const HOURLY_UP_TO_MS = 3 * DAY_MS;

export type Suggestion = {
  readonly kind: 'longer_for' | 'hysteresis' | 'raise_threshold' | 'remove';
  /** What to change, and what it would have spared. */
  readonly text: string;
  /** Alerts of the stretch that would not have fired. */
  readonly spared: number;
};

export type RuleStatistics = {
  readonly rule: string;
  readonly alertname: string;
  readonly fired: number;
  readonly per_week: number;
  /** Ended within five minutes. */
  readonly short_lived: number;
  /** Fired again within ten minutes after their end. */
  readonly came_back: number;
  readonly acted_upon: number;
  /** Acted upon out of all that fired. */
  readonly relevance: number;
  readonly median_length_ms: number | null;
  readonly mtta_ms: number | null;
  readonly mttr_ms: number | null;
  readonly suggestions: readonly Suggestion[];
};

type Counts = Readonly<Record<Severity, number>>;
export type AlertStatistics = {
  readonly from_at_ms: number;
  readonly to_at_ms: number;
  readonly fired: number;
  readonly acted_upon: number;
  /** Null when nothing fired. */
  readonly relevance: number | null;
  readonly relevance_target: number;
  /** Means: from firing to acknowledgement, of those that were acknowledged; from firing to the end, of those that ended. */
  readonly mtta_ms: number | null;
  readonly mttr_ms: number | null;
  readonly by_severity: Counts;
  readonly by_source: readonly { readonly source: string; readonly fired: number }[];
  readonly by_service: readonly { readonly service: string; readonly fired: number }[];
  readonly step_ms: number;
  readonly by_time: readonly (Counts & { readonly at_ms: number })[];
  /** Most noise first: fires that nobody acted upon. */
  readonly rules: readonly RuleStatistics[];
};

export type StatisticsInput = {
  readonly alerts: readonly FiredAlert[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly readsOf: (ruleId: string) => RuleReads | undefined;
};

export function statisticsOf({ alerts, fromMs, toMs, readsOf }: StatisticsInput): AlertStatistics {
  const acted = alerts.filter(({ actedUpon }) => actedUpon).length;
  const weeks = Math.max(toMs - fromMs, HOUR_MS) / (7 * DAY_MS);
  const rules = [...groupBy(alerts, ({ rule }) => rule)].map(([rule, mine]) => ruleStatistics(mine, weeks, readsOf(rule)));
  const noise = (one: RuleStatistics): number => one.fired - one.acted_upon;
  const stepMs = toMs - fromMs <= HOURLY_UP_TO_MS ? HOUR_MS : DAY_MS;
  return {
    from_at_ms: fromMs,
    to_at_ms: toMs,
    fired: alerts.length,
    acted_upon: acted,
    relevance: alerts.length === 0 ? null : acted / alerts.length,
    relevance_target: RELEVANCE_TARGET,
    mtta_ms: meanTimeToAcknowledge(alerts),
    mttr_ms: meanTimeToEnd(alerts),
    by_severity: countsOf(alerts),
    by_source: ranked(alerts, ({ kind }) => kind).map(([source, fired]) => ({ source, fired })),
    by_service: ranked(alerts, ({ service }) => service ?? '').map(([service, fired]) => ({ service, fired })),
    step_ms: stepMs,
    by_time: bySteps(alerts, { fromMs, toMs, stepMs }),
    rules: rules.sort((a, b) => noise(b) - noise(a) || b.fired - a.fired || (a.rule < b.rule ? -1 : 1)),
  };
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : Math.round(values.reduce((sum, value) => sum + value, 0) / values.length);

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}

const meanTimeToAcknowledge = (alerts: readonly FiredAlert[]): number | null =>
  mean(alerts.flatMap(({ acknowledgedAtMs, firedAtMs }) => (acknowledgedAtMs === null ? [] : [Math.max(0, acknowledgedAtMs - firedAtMs)])));
const meanTimeToEnd = (alerts: readonly FiredAlert[]): number | null => mean(lengthsOf(alerts));

const lengthOf = ({ endsAtMs, firedAtMs }: FiredAlert): number =>
  endsAtMs === null ? Number.POSITIVE_INFINITY : Math.max(0, endsAtMs - firedAtMs);
const lengthsOf = (alerts: readonly FiredAlert[]): readonly number[] => alerts.map(lengthOf).filter(Number.isFinite);

function countsOf(alerts: readonly FiredAlert[]): Counts {
  const counts: Record<Severity, number> = { info: 0, warning: 0, critical: 0, emergency: 0 };
  for (const { severity } of alerts) counts[severity]++;
  return counts;
}

function groupBy(alerts: readonly FiredAlert[], keyOf: (alert: FiredAlert) => string): ReadonlyMap<string, readonly FiredAlert[]> {
  const groups = new Map<string, FiredAlert[]>();
  for (const alert of alerts) {
    const key = keyOf(alert);
    const mine = groups.get(key);
    if (mine === undefined) groups.set(key, [alert]);
    else mine.push(alert);
  }
  return groups;
}

const ranked = (alerts: readonly FiredAlert[], keyOf: (alert: FiredAlert) => string): readonly (readonly [string, number])[] =>
  [...groupBy(alerts, keyOf)].map(([key, mine]) => [key, mine.length] as const).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));

/** One entry a step, aligned to the UTC epoch, also where nothing fired. */
function bySteps(
  alerts: readonly FiredAlert[],
  { fromMs, toMs, stepMs }: { readonly fromMs: number; readonly toMs: number; readonly stepMs: number },
): AlertStatistics['by_time'] {
  const begin = (atMs: number): number => Math.floor(atMs / stepMs) * stepMs;
  const steps = new Map<number, Record<Severity, number>>();
  for (let atMs = begin(fromMs); atMs < toMs; atMs += stepMs) steps.set(atMs, { info: 0, warning: 0, critical: 0, emergency: 0 });
  for (const { startsAtMs, severity } of alerts) {
    const counts = steps.get(begin(startsAtMs));
    if (counts !== undefined) counts[severity]++;
  }
  return [...steps].map(([atMs, counts]) => ({ at_ms: atMs, ...counts }));
}

function ruleStatistics(alerts: readonly FiredAlert[], weeks: number, reads: RuleReads | undefined): RuleStatistics {
  const [first] = alerts;
  if (first === undefined) throw new Error('BUG: expected alerts of a rule, found none');
  const acted = alerts.filter(({ actedUpon }) => actedUpon).length;
  const relevance = acted / alerts.length;
  return {
    rule: first.rule,
    alertname: first.alertname,
    fired: alerts.length,
    per_week: alerts.length / weeks,
    short_lived: alerts.filter((alert) => lengthOf(alert) < SHORT_MS).length,
    came_back: returnsOf(alerts).length,
    acted_upon: acted,
    relevance,
    median_length_ms: median(lengthsOf(alerts)),
    mtta_ms: meanTimeToAcknowledge(alerts),
    mttr_ms: meanTimeToEnd(alerts),
    suggestions: relevance >= RELEVANCE_TARGET || alerts.length < MIN_FIRED ? [] : suggestionsFor(alerts, reads),
  };
}

/** Alerts that began soon after the one before of the same fingerprint had ended. */
function returnsOf(alerts: readonly FiredAlert[]): readonly FiredAlert[] {
  return [...groupBy(alerts, ({ fingerprint }) => fingerprint).values()].flatMap((mine) => {
    const inOrder = mine.toSorted((a, b) => a.firedAtMs - b.firedAtMs);
    return inOrder.filter((alert, index) => {
      const endedAtMs = inOrder[index - 1]?.endsAtMs ?? null;
      return endedAtMs !== null && alert.firedAtMs - endedAtMs <= BACK_MS;
    });
  });
}

function suggestionsFor(alerts: readonly FiredAlert[], reads: RuleReads | undefined): readonly Suggestion[] {
  const found = [longerFor(alerts), hysteresis(alerts, reads), raisedThreshold(alerts, reads)].flatMap((one) =>
    one === undefined ? [] : [one],
  );
  if (found.length > 0) return found.sort((a, b) => b.spared - a.spared);
  if (alerts.some(({ actedUpon }) => actedUpon)) return [];
  const text = `Nobody acted upon any of the ${alerts.length}: show it on the page without telling anybody, or remove the rule.`;
  return [{ kind: 'remove', text, spared: alerts.length }];
}

/** Waiting longer before firing: the shortest wait that spares enough and takes nothing away that somebody acted upon. */
function longerFor(alerts: readonly FiredAlert[]): Suggestion | undefined {
  const idle = alerts.filter(({ actedUpon }) => !actedUpon);
  const shortestActed = Math.min(...alerts.filter(({ actedUpon }) => actedUpon).map(lengthOf));
  for (const waitMs of LONGER_FOR_MS) {
    if (waitMs > shortestActed) return undefined;
    const spared = idle.filter((alert) => lengthOf(alert) < waitMs).length;
    if (spared < idle.length / 2) continue;
    const kept = Number.isFinite(shortestActed) ? `; the shortest that somebody acted upon lasted ${lengthText(shortestActed)}` : '';
    const text = `Let the condition hold ${formatDuration(waitMs)} longer (for): it would have spared ${spared} of ${alerts.length}, which ended before that${kept}.`;
    return { kind: 'longer_for', text, spared };
  }
  return undefined;
}

const lengthText = (lengthMs: number): string => formatDuration(Math.round(lengthMs / SECOND_MS) * SECOND_MS);

function hysteresis(alerts: readonly FiredAlert[], reads: RuleReads | undefined): Suggestion | undefined {
  const back = returnsOf(alerts).filter(({ actedUpon }) => !actedUpon).length;
  if (back < alerts.length * MIN_SPARED) return undefined;
  const threshold = reads?.threshold ?? null;
  const how =
    threshold === null
      ? 'Let it clear later (keep_firing_for: 10m)'
      : `Let it clear at another value than ${threshold.value} (clear), or 10 min later (keep_firing_for)`;
  return {
    kind: 'hysteresis',
    text: `${how}: ${back} of ${alerts.length} came back within 10 min after their end and would have been one with the alert before.`,
    spared: back,
  };
}

/** Another threshold, by the values that the alerts were seen with: beyond it lies all that somebody acted upon. */
function raisedThreshold(alerts: readonly FiredAlert[], reads: RuleReads | undefined): Suggestion | undefined {
  const threshold = reads?.threshold ?? null;
  if (threshold === null || threshold.op === '==' || threshold.op === '!=') return undefined;
  const sign = threshold.op.startsWith('>') ? 1 : -1;
  const beyond = (alert: FiredAlert): number => sign * (alert.value - threshold.value);
  const known = alerts.filter(({ value }) => Number.isFinite(value));
  const idle = known
    .filter(({ actedUpon }) => !actedUpon)
    .map(beyond)
    .sort((a, b) => a - b);
  const acted = known.filter(({ actedUpon }) => actedUpon).map(beyond);
  // Where nobody ever acted, the worst tenth stays: it may be the one that matters.
  const limit = acted.length > 0 ? Math.min(...acted) : (idle[Math.ceil(idle.length * 0.9) - 1] ?? 0);
  const spared = idle.filter((value) => value < limit).length;
  const next = threshold.value + sign * niceBelow(limit);
  if (spared < alerts.length * MIN_SPARED || next === threshold.value) return undefined;
  const word = sign > 0 ? 'Raise' : 'Lower';
  const reallySpared = idle.filter((value) => value < sign * (next - threshold.value)).length;
  if (reallySpared < alerts.length * MIN_SPARED) return undefined;
  const kept = acted.length === 0 ? '' : '; all that somebody acted upon lay beyond it';
  return {
    kind: 'raise_threshold',
    text: `${word} the threshold from ${threshold.value} to ${next}: it would have spared ${reallySpared} of ${alerts.length}, by the value each was last seen with${kept}.`,
    spared: reallySpared,
  };
}

/** The number of two digits at or below. */
function niceBelow(value: number): number {
  if (!(value > 0)) return 0;
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Number((Math.floor(value / unit + 1e-9) * unit).toPrecision(2));
}
