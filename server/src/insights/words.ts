import type { AheadFinding } from '@nines/maths/insights/ahead.ts';
import { DAY_MS, type Examined, HOUR_MS } from '@nines/maths/insights/examined.ts';
import type { ExhaustionFinding } from '@nines/maths/insights/exhaustion.ts';
import type { RhythmFinding } from '@nines/maths/insights/rhythm.ts';
import type { TogetherFinding } from '@nines/maths/insights/together.ts';
import type { TrendFinding } from '@nines/maths/insights/trend.ts';
import type { UnusualFinding } from '@nines/maths/insights/unusual.ts';
import type { Candidate, Subject } from './candidates.ts';
import type { EvidenceView, InsightKind, InsightView } from './contract.ts';
import { day, days, figure, hour, share, weekday } from './figures.ts';
import { advice } from './advice.ts';

/** One series that was examined. */
export type Series = {
  readonly candidate: Candidate;
  readonly labels: Readonly<Record<string, string>>;
  readonly subject: Subject;
  /** Selects this series alone. */
  readonly expr: string;
  readonly examined: Examined;
};

/** What a finding says, before it is ranked and kept. `weight` is 0 to 1: how much it matters if it is true. */
export type Said = Pick<InsightView, 'kind' | 'sentence' | 'unit' | 'from_at_ms' | 'to_at_ms' | 'figures' | 'evidence' | 'next'> & {
  readonly expr: string;
  readonly method: string;
  readonly weight: number;
};

const MAX_EVIDENCE_POINTS = 400;

/** "Response time of Shop"; only the first where there is nothing to tell apart. */
export const titleOf = ({ candidate: { what }, subject: { name } }: Series): string => (name === '' ? what : `${what} of ${name}`);

/** The values between two instants, at most 400: hours are averaged together where there are more. */
export function evidenceOf({ examined: { values, startMs } }: Series, fromMs: number, toMs: number): EvidenceView {
  const first = Math.max(0, Math.round((fromMs - startMs) / HOUR_MS));
  const last = Math.min(values.length - 1, Math.round((toMs - startMs) / HOUR_MS));
  const factor = Math.max(1, Math.ceil((last - first + 1) / MAX_EVIDENCE_POINTS));
  const points: [number, number][] = [];
  for (let i = first; i <= last; i += factor) {
    const own = values.slice(i, Math.min(i + factor, last + 1));
    points.push([startMs + i * HOUR_MS, own.reduce((sum, value) => sum + value, 0) / own.length]);
  }
  return { from_at_ms: points[0]?.[0] ?? fromMs, to_at_ms: points.at(-1)?.[0] ?? toMs, step_ms: factor * HOUR_MS, points };
}

const common = (series: Series, kind: InsightKind) => ({
  kind,
  expr: series.expr,
  unit: series.candidate.unit,
  next: advice(kind, series.candidate, series.subject),
});

const withLimit = (evidence: EvidenceView, limit: number | undefined): EvidenceView =>
  limit === undefined ? evidence : { ...evidence, limit };

export function trendSaid(series: Series, found: TrendFinding): Said {
  const { unit, worse } = series.candidate;
  const { before, after, fromMs, toMs, perDay, passesAtMs } = found;
  const { limit } = series.examined;
  const relative = before === 0 ? Number.POSITIVE_INFINITY : Math.abs((after - before) / before);
  const by = Number.isFinite(relative) && relative < 10 ? ` ${share(relative)}` : '';
  const passes =
    passesAtMs === null || limit === undefined
      ? ''
      : `; at this pace it passes its limit of ${figure(limit, unit)} around ${day(passesAtMs)}`;
  const rose = after > before;
  const isBad = worse === 'neither' ? undefined : (worse === 'higher') === rose;
  const weight =
    isBad === false ? 0.25 : Math.min(0.95, (isBad === true ? 0.45 : 0.3) + 0.3 * Math.min(1, relative) + (passes === '' ? 0 : 0.15));
  return {
    ...common(series, 'performance_trend'),
    sentence: `${titleOf(series)} ${rose ? 'rose' : 'fell'}${by} in ${days((toMs - fromMs) / DAY_MS)}, from ${figure(before, unit)} to ${figure(after, unit)}${passes}.`,
    from_at_ms: fromMs,
    to_at_ms: toMs,
    figures: [
      { label: 'before', value: before, unit },
      { label: 'now', value: after, unit },
      { label: 'change a day', value: perDay, unit },
      { label: 'change a day, at least', value: Math.min(Math.abs(found.lower), Math.abs(found.upper)) * Math.sign(perDay), unit },
    ],
    evidence: withLimit(
      {
        ...evidenceOf(series, fromMs, toMs),
        line: [
          [fromMs, before],
          [toMs, after],
        ],
      },
      limit,
    ),
    method: 'Theil–Sen line without its seasons, Kendall test that allows for values that follow each other',
    weight,
  };
}

export function exhaustionSaid(series: Series, found: ExhaustionFinding): Said {
  const { unit, role } = series.candidate;
  const { fromMs, toMs, before, now, perDay, limit, days: left } = found;
  const figures = [
    { label: 'now', value: now, unit },
    { label: 'change a day', value: perDay, unit },
  ];
  const evidence: EvidenceView = {
    ...evidenceOf(series, fromMs, toMs),
    line: [
      [fromMs, before],
      [toMs, now],
    ],
  };
  if (limit === null || left === null) {
    return {
      ...common(series, 'capacity'),
      sentence: `${titleOf(series)} grows by ${figure(perDay, unit)} a day and does not fall back: ${figure(now, unit)} now, ${figure(before, unit)} ${days((toMs - fromMs) / DAY_MS)} ago.`,
      from_at_ms: fromMs,
      to_at_ms: toMs,
      figures,
      evidence,
      method: 'Theil–Sen line through the floors of consecutive stretches, Kendall test',
      weight: 0.6,
    };
  }
  const atMs = toMs + left.expected * DAY_MS;
  const range = rangeOf(left);
  const ends = role === 'budget' ? 'at this pace it is used up' : `at this pace it reaches ${figure(limit, unit)}`;
  return {
    ...common(series, role === 'budget' ? 'prediction' : 'capacity'),
    sentence: `${titleOf(series)} is at ${figure(now, unit)} and ${perDay > 0 ? 'grows' : 'falls'} by ${figure(Math.abs(perDay), unit)} a day; ${ends} around ${day(atMs)}, in about ${days(left.expected)}${range}.`,
    from_at_ms: fromMs,
    to_at_ms: toMs,
    figures: [
      ...figures,
      { label: 'limit', value: limit, unit },
      { label: 'days left', value: left.expected, unit: 'days' },
      { label: 'days left, at least', value: left.earliest, unit: 'days' },
    ],
    evidence: withLimit(evidence, limit),
    method: 'Theil–Sen line without its seasons, Kendall test, 95 % interval of the slope',
    weight: 0.5 + 0.5 * Math.exp(-left.expected / 14),
  };
}

/** " (9 to 20)" days; nothing where they are the same. */
function rangeOf({ earliest, latest }: NonNullable<ExhaustionFinding['days']>): string {
  const [from, to] = [Math.max(1, Math.round(earliest)), latest === null ? null : Math.round(latest)];
  if (to === null) return ` (${from} or more)`;
  return from === to ? '' : ` (${from} to ${to})`;
}

export function unusualSaid(series: Series, found: UnusualFinding): Said {
  const { unit, worse } = series.candidate;
  const { fromMs, toMs, peak, peakAtMs, usual, score, band } = found;
  const reason = `${figure(peak, unit)} where ${figure(usual, unit)} is usual`;
  const hours = Math.round((toMs - fromMs) / HOUR_MS) + 1;
  const high = peak > usual;
  const isBad = worse === 'neither' || (worse === 'higher') === high;
  return {
    ...common(series, 'anomaly'),
    sentence: `${titleOf(series)} was unusually ${high ? 'high' : 'low'} for ${hours === 1 ? 'an hour' : `${hours} hours`}: ${figure(peak, unit)} on ${day(peakAtMs)} at ${hour(peakAtMs)}, where ${figure(usual, unit)} is usual.`,
    from_at_ms: fromMs,
    to_at_ms: toMs,
    figures: [
      { label: high ? 'highest' : 'lowest', value: peak, unit },
      { label: 'usual', value: usual, unit },
      { label: 'hours', value: hours, unit: 'hours' },
    ],
    evidence: withLimit(
      {
        ...evidenceOf(series, toMs - 7 * DAY_MS, series.examined.startMs + series.examined.values.length * HOUR_MS),
        band: band.map((row) => [...row]),
        episodes: [{ from_at_ms: fromMs, to_at_ms: toMs, score, reason }],
      },
      series.examined.limit,
    ),
    method: 'seasonal detector and distance from the seasonal level, t-test with 10 degrees of freedom',
    weight: (isBad ? 0.5 : 0.25) + (isBad ? 0.35 : 0.1) * Math.min(1, Math.abs(peak - usual) / Math.max(Math.abs(usual), 1e-12) / 3),
  };
}

const PLACE: Readonly<Record<string, (atMs: number) => string>> = {
  hourly: (atMs) => `minute ${new Date(atMs).getUTCMinutes()}`,
  daily: hour,
  weekly: (atMs) => `${weekday(atMs)} ${hour(atMs)}`,
};

export function rhythmSaid(series: Series, found: RhythmFinding): Said {
  const { unit } = series.candidate;
  const { name, high, low, highAtMs, lowAtMs, strength, fromMs, toMs, line } = found;
  const place = PLACE[name] ?? hour;
  const [first] = line;
  return {
    ...common(series, 'seasonality'),
    sentence: `${titleOf(series)} has a ${name} rhythm: highest around ${place(highAtMs)} (${figure(high, unit)}), lowest around ${place(lowAtMs)} (${figure(low, unit)}); it explains ${share(strength)} of the ups and downs.`,
    from_at_ms: fromMs,
    to_at_ms: toMs,
    figures: [
      { label: 'high', value: high, unit },
      { label: 'low', value: low, unit },
      { label: 'strength', value: strength, unit: 'ratio' },
      { label: 'cycle', value: found.lengthMs / HOUR_MS, unit: 'hours' },
    ],
    evidence: { ...evidenceOf(series, first?.[0] ?? fromMs, toMs), line: line.map((row) => [...row]) },
    method: 'strength of the season by decomposition, F-test of its places, confirmed on cycles left out',
    weight: 0.1 + 0.2 * strength,
  };
}

export function aheadSaid(series: Series, found: AheadFinding): Said {
  const { unit } = series.candidate;
  const { now, limit, crossesAtMs, earliestAtMs, extreme, method, mase, naiveMase, coverage, line, band, fromMs, toMs } = found;
  const inDays = (crossesAtMs - (toMs - 7 * DAY_MS)) / DAY_MS;
  return {
    ...common(series, 'prediction'),
    sentence: `${titleOf(series)} is expected to pass ${figure(limit, unit)} on ${weekday(crossesAtMs)} ${day(crossesAtMs)} around ${hour(crossesAtMs)} and to reach ${figure(extreme, unit)} within a week; ${figure(now, unit)} now.`,
    from_at_ms: fromMs,
    to_at_ms: toMs,
    figures: [
      { label: 'now', value: now, unit },
      { label: 'limit', value: limit, unit },
      { label: 'farthest expected', value: extreme, unit },
      { label: 'days to the limit', value: inDays, unit: 'days' },
      { label: 'days to the limit, at least', value: Math.max(0, inDays - (crossesAtMs - earliestAtMs) / DAY_MS), unit: 'days' },
      { label: 'error (MASE)', value: mase, unit: 'count' },
      { label: 'error of repeating the last season', value: naiveMase, unit: 'count' },
      { label: 'share inside the interval', value: coverage, unit: 'ratio' },
    ],
    evidence: {
      ...evidenceOf(series, toMs - 21 * DAY_MS, toMs - 7 * DAY_MS),
      line: line.map((row) => [...row]),
      band: band.map((row) => [...row]),
      limit,
    },
    method: `${method}, 95 % interval from its own errors in a rolling back-test`,
    weight: Math.min(1, 0.6 + 0.4 * Math.exp(-inDays / 3)),
  };
}

/** `first` follows or goes before `second`; the values of the second are drawn on the scale of the first. */
export function togetherSaid(first: Series, second: Series, found: TogetherFinding): Said {
  const { spearman, lagHours, fromMs, toMs, effective } = found;
  const [one, other] = lagHours < 0 ? [second, first] : [first, second];
  const gap = Math.abs(lagHours);
  const later = gap === 0 ? '' : `, ${gap === 1 ? 'an hour' : `${gap} hours`} later`;
  const evidence = evidenceOf(one, fromMs, toMs);
  return {
    ...common(one, 'correlation'),
    sentence: `When ${titleOf(one)} changes, ${titleOf(other)} changes ${spearman > 0 ? 'with it' : 'the other way'}${later} (rank correlation ${spearman.toFixed(2)} over ${days((toMs - fromMs) / DAY_MS)}).`,
    from_at_ms: fromMs,
    to_at_ms: toMs,
    figures: [
      { label: 'rank correlation', value: spearman, unit: 'count' },
      { label: 'linear correlation', value: found.pearson, unit: 'count' },
      { label: 'hours between them', value: gap, unit: 'hours' },
      { label: 'independent observations', value: effective, unit: 'count' },
    ],
    evidence: { ...evidence, line: rescaled(evidence.points, evidenceOf(other, fromMs, toMs).points) },
    next: {
      text: `Look at ${titleOf(other)} when ${titleOf(one)} changes: one may be the cause of the other, or both of a third`,
      href: other.subject.href ?? one.subject.href,
    },
    method: 'Spearman correlation of hourly changes without seasons, with as many observations as they are independent',
    weight: 0.15 + 0.25 * Math.abs(spearman),
  };
}

type Points = EvidenceView['points'];
function rescaled(onto: Points, from: Points): [number, number][] {
  const spread = (points: Points) => {
    const values = points.flatMap(([, value]) => (value === null ? [] : [value]));
    return { low: Math.min(...values), range: Math.max(...values) - Math.min(...values) };
  };
  const [to, own] = [spread(onto), spread(from)];
  return from.flatMap(([atMs, value]): [number, number][] =>
    value === null || !(own.range > 0) ? [] : [[atMs, to.low + ((value - own.low) / own.range) * to.range]],
  );
}
