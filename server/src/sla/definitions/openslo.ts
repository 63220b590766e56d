import { parseDuration } from '@nines/base/duration.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, WEEK_MS } from '@nines/base/units.ts';
import type { PeriodUnit } from '@nines/maths/calendar/period.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import { counterTerms } from '../counters.ts';
import { complementText } from '../spec.ts';
import { type DefinedSla, type Definitions, NOTHING, joined } from './generated.ts';
import {
  type MetricSource,
  type Objective,
  type OpenSlo,
  type OpenSloDocument,
  type PolicySpec,
  type SliSpec,
  type TimeWindow,
  targetText,
} from './openslo-schema.ts';
import { NINES_SOURCE, TERMS_ANNOTATION, burnName } from './openslo-export.ts';

/** Documents of an OpenSLO file; `known`: among which references are resolved, those of other files too. Each objective becomes an SLA. */
export function openSloDefinitions(documents: readonly OpenSloDocument[], known: Known = documents): Definitions {
  return joined(documents.flatMap((document) => (document.kind === 'SLO' ? [sloDefinitions(document, known)] : [])));
}

type Known = readonly OpenSloDocument[];
type Indicator = DefinedSla['indicator'];

function sloDefinitions(slo: OpenSlo, known: Known): Definitions {
  const { metadata, spec } = slo;
  const warnings: string[] = [];
  const slas: DefinedSla[] = [];
  const problems: string[] = [];
  const say = (message: string): string => `the SLO "${metadata.name}": ${message}`;
  const burn = burnOf(slo, known);
  warnings.push(...policyWarnings(slo, known).map(say));
  const isComposite =
    spec.objectives.length > 1 && spec.objectives.every((one) => one.indicator !== undefined || one.indicatorRef !== undefined);
  const [timeWindow] = spec.timeWindow;
  const window = timeWindow === undefined ? err('it has no timeWindow') : windowOf(timeWindow, (message) => warnings.push(say(message)));
  const whole = isComposite ? compositeOf(slo, known) : undefined;
  if (typeof whole === 'string') warnings.push(say(`each part of the composite is an SLA of its own: ${whole}`));
  const objectives = typeof whole === 'object' ? spec.objectives.slice(0, 1) : spec.objectives;
  objectives.forEach((objective, index) => {
    const indicator =
      typeof whole === 'object' && window.ok ? ok(whole) : window.ok ? indicatorOf(slo, objective, known) : err(window.error);
    if (!indicator.ok || !window.ok || !burn.ok) problems.push(say(indicator.ok ? (burn.ok ? '' : burn.error) : indicator.error));
    else
      slas.push({
        id: typeof whole === 'object' ? metadata.name : idOf(slo, index),
        ...(metadata.displayName === undefined ? {} : { name: metadata.displayName }),
        service: spec.service,
        indicator: indicator.value,
        ...(isRecovery(indicator.value) ? {} : { target: targetText(objective) }),
        window: window.value,
        ...(burn.value.length === 0 ? {} : { burn: [...burn.value] }),
        // What an export of ours says more exactly wins.
        ...termsOf(slo, (message) => problems.push(say(message))),
      });
  });
  return { ...NOTHING, slas, warnings, problems: [...new Set(problems)] };
}

const isRecovery = (indicator: Indicator): boolean => indicator.kind === 'availability' && indicator.recover_within !== undefined;

/** All objectives as one indicator, or why they cannot be one. */
function compositeOf(slo: OpenSlo, known: Known): Indicator | string {
  const { objectives, budgetingMethod } = slo.spec;
  if (new Set(objectives.map(targetText)).size > 1) return 'their targets differ';
  const found = objectives.map((objective) => indicatorOf(slo, objective, known));
  const parts = found.flatMap((indicator, index) =>
    indicator.ok && indicator.value.kind !== 'availability' && indicator.value.kind !== 'composite'
      ? [{ weight: objectives[index]?.compositeWeight ?? 1, indicator: indicator.value }]
      : [],
  );
  if (parts.length < objectives.length)
    return found.flatMap((indicator) => (indicator.ok ? [] : [indicator.error])).join('; ') || 'one is none of a kind that has slices';
  if (budgetingMethod === 'Occurrences' && parts.some(({ indicator }) => indicator.kind !== 'ratio' || 'error_ratio' in indicator))
    return 'one of them has no counters whose events could be added up';
  const slices = parts.map(({ indicator }) => indicator.slice);
  if (new Set(slices).size > 1) return 'their slices differ';
  const budgeting = ({ Occurrences: 'occurrences', Timeslices: 'timeslices', RatioTimeslices: 'ratio_timeslices' } as const)[
    budgetingMethod
  ];
  return { kind: 'composite', budgeting, ...(slices[0] === undefined ? {} : { slice: slices[0] }), parts };
}

/** Of several objectives each has its display name, or its number, behind the name of the SLO. */
function idOf({ metadata, spec }: OpenSlo, index: number): string {
  if (spec.objectives.length === 1) return metadata.name;
  const slug =
    spec.objectives[index]?.displayName
      ?.toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '') ?? '';
  const isUnique = spec.objectives.filter(({ displayName }) => displayName === spec.objectives[index]?.displayName).length === 1;
  return `${metadata.name}-${slug !== '' && isUnique ? slug : index + 1}`;
}

/** What OpenSLO has no words for and an export kept in an annotation. */
function termsOf({ metadata }: OpenSlo, refuse: (message: string) => void): Partial<DefinedSla> {
  const written = metadata.annotations?.[TERMS_ANNOTATION];
  if (written === undefined) return {};
  try {
    return JSON.parse(written) as Partial<DefinedSla>;
  } catch {
    refuse(`its annotation ${TERMS_ANNOTATION} is no JSON`);
    return {};
  }
}

const UNITS_MS: Readonly<Record<string, number>> = {
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
  w: WEEK_MS,
  M: 30 * DAY_MS,
  Q: 90 * DAY_MS,
  Y: 365 * DAY_MS,
};
const CALENDAR_UNITS: Readonly<Record<string, PeriodUnit>> = { d: 'day', w: 'week', M: 'month', Q: 'quarter', Y: 'year' };

/** `2w`, `1M`; M is a month, m a minute. */
function shorthand(text: string): Result<{ readonly count: number; readonly unit: string }, string> {
  const parts = /^([1-9]\d*)([mhdwMQY])$/.exec(text.trim());
  return parts === null
    ? err(`not a duration: "${text}" (write a number and one of m, h, d, w, M, Q, Y)`)
    : ok({ count: Number(parts[1]), unit: parts[2] ?? '' });
}

export function lengthMsOf(text: string): Result<number, string> {
  const found = shorthand(text);
  return found.ok ? ok(found.value.count * (UNITS_MS[found.value.unit] ?? 0)) : found;
}

function windowOf({ duration, isRolling, calendar }: TimeWindow, warn: (message: string) => void): Result<DefinedSla['window'], string> {
  const found = shorthand(duration);
  if (!found.ok) return found;
  const { count, unit } = found.value;
  if (calendar === undefined) {
    if (!isRolling) return err('a timeWindow that is not rolling needs a calendar');
    if (unit === 'M' || unit === 'Q' || unit === 'Y')
      warn(`a rolling window of ${duration} is ${(count * (UNITS_MS[unit] ?? 0)) / DAY_MS} days`);
    return ok({ rolling: `${(count * (UNITS_MS[unit] ?? 0)) / 1_000}s` });
  }
  if (isRolling) return err('a timeWindow is either rolling or has a calendar');
  if (unit === 'm') warn(`m is a minute in OpenSLO, of which no calendar is made; ${duration} is read as ${count}M`);
  const of = CALENDAR_UNITS[unit === 'm' ? 'M' : unit];
  if (of === undefined) return err(`a calendar window has days, weeks, months, quarters or years, not ${duration}`);
  return ok({ calendar: of, every: count, zone: calendar.timeZone, anchor: calendar.startTime });
}

const OPS = { lte: '<=', gte: '>=', lt: '<', gt: '>' } as const;

function indicatorOf(slo: OpenSlo, objective: Objective, known: Known): Result<Indicator, string> {
  const ref = objective.indicatorRef ?? slo.spec.indicatorRef;
  const referred = known.find((document) => document.kind === 'SLI' && document.metadata.name === ref);
  const inline = objective.indicator ?? slo.spec.indicator;
  if (inline !== undefined && ref !== undefined && objective.indicator === undefined && objective.indicatorRef === undefined)
    return err('it has both an indicator and an indicatorRef');
  const sli = inline?.spec ?? (referred?.kind === 'SLI' ? referred.spec : undefined);
  if (sli === undefined) return err(ref === undefined ? 'it has no indicator' : `there is no SLI "${ref}"`);
  const slice = sliceOf(slo, objective);
  if (!slice.ok) return slice;
  return sli.thresholdMetric === undefined
    ? ratioOf(slo, { sli, objective, slice: slice.value })
    : thresholdOf(slo, { sli, objective, slice: slice.value });
}

/** A bare number is minutes. */
function sliceOf({ spec }: OpenSlo, { timeSliceWindow }: Objective): Result<string | undefined, string> {
  if (spec.budgetingMethod === 'Occurrences') return ok(undefined);
  if (timeSliceWindow === undefined) return err(`${spec.budgetingMethod} need a timeSliceWindow`);
  const lengthMs = lengthMsOf(typeof timeSliceWindow === 'number' ? `${timeSliceWindow}m` : timeSliceWindow);
  return lengthMs.ok ? ok(`${lengthMs.value / 1_000}s`) : lengthMs;
}

type Step = { readonly sli: SliSpec; readonly objective: Objective; readonly slice: string | undefined };
const sliced = (slice: string | undefined): { slice?: string } => (slice === undefined ? {} : { slice });

function thresholdOf({ spec }: OpenSlo, { sli, objective, slice }: Step): Result<Indicator, string> {
  const source = sli.thresholdMetric?.metricSource;
  if (source?.type === NINES_SOURCE) return ok(source.spec['indicator'] as Indicator);
  const { op, value, timeSliceTarget } = objective;
  if (op === undefined || value === undefined) return err('a thresholdMetric needs op and value in its objective');
  const query = queryOf(sli.thresholdMetric);
  if (!query.ok) return query;
  switch (spec.budgetingMethod) {
    case 'Occurrences':
      return ok({ kind: 'ratio', query: query.value, condition: OPS[op], threshold: value });
    case 'Timeslices':
      if (timeSliceTarget === undefined) return err('Timeslices need a timeSliceTarget');
      return ok({
        kind: 'threshold',
        query: `(${query.value}) ${OPS[op]} bool ${value}`,
        condition: '>=',
        threshold: timeSliceTarget,
        unit: 'ratio',
        ...sliced(slice),
      });
    case 'RatioTimeslices':
      return ok({ kind: 'ratio', error_ratio: `1 - ((${query.value}) ${OPS[op]} bool ${value})`, ...sliced(slice) });
  }
}

function ratioOf({ spec }: OpenSlo, { sli, objective, slice }: Step): Result<Indicator, string> {
  const { good, bad, total, raw, rawType, counter = true } = sli.ratioMetric ?? {};
  const parts: { good?: string; bad?: string; total?: string; raw?: string } = {};
  for (const [name, source] of [
    ['good', good],
    ['bad', bad],
    ['total', total],
    ['raw', raw],
  ] as const) {
    const query = source === undefined ? undefined : queryOf(source);
    if (query?.ok === false) return query;
    if (query !== undefined) parts[name] = query.value;
  }
  const isCounted = counter && parts.raw === undefined && Object.values(parts).every((query) => counterTerms(query).ok);
  const errors =
    parts.raw !== undefined
      ? rawType === 'success'
        ? `1 - (${parts.raw})`
        : parts.raw
      : parts.bad === undefined
        ? `1 - ((${parts.good ?? ''}) / (${parts.total ?? ''}))`
        : `(${parts.bad}) / (${parts.total ?? ''})`;
  if (spec.budgetingMethod === 'Timeslices') {
    if (objective.timeSliceTarget === undefined) return err('Timeslices need a timeSliceTarget');
    const allowed = complementText(String(objective.timeSliceTarget));
    if (isCounted) return ok({ kind: 'error_rate', ...parts, at_most: allowed, ...sliced(slice) });
    return ok({ kind: 'threshold', query: errors, condition: '<=', threshold: Number(allowed), unit: 'ratio', ...sliced(slice) });
  }
  if (!isCounted) return ok({ kind: 'ratio', error_ratio: errors, ...sliced(slice) });
  return ok({
    kind: 'ratio',
    ...parts,
    ...(spec.budgetingMethod === 'RatioTimeslices' ? { budgeting: 'ratio_timeslices' as const } : {}),
    ...sliced(slice),
  });
}

/** Whatever the type of the source, its query is PromQL to us; `{{.window}}` is as in Sloth's files. */
function queryOf(source: MetricSource | undefined): Result<string, string> {
  const spec = source?.metricSource.spec ?? {};
  const query = spec['query'] ?? spec['promql'] ?? spec['expr'];
  return typeof query === 'string'
    ? ok(query.replaceAll(/\{\{\s*\.window\s*\}\}/g, '5m').trim())
    : err('a metricSource has no query in its spec');
}

/** The burn pairs that its policies ask for; the short window is a twelfth of the long one. */
function burnOf({ spec }: OpenSlo, known: Known): Result<NonNullable<DefinedSla['burn']>, string> {
  // A pair's short window holds two slices at least.
  const slices = spec.objectives.map(({ timeSliceWindow }) =>
    lengthMsOf(typeof timeSliceWindow === 'string' ? timeSliceWindow : `${timeSliceWindow ?? 1}m`),
  );
  const leastShortMs = 2 * Math.max(...slices.map((slice) => (slice.ok ? slice.value : 0)));
  const pairs: NonNullable<DefinedSla['burn']> = [];
  for (const written of spec.alertPolicies) {
    const ref = 'alertPolicyRef' in written ? written.alertPolicyRef : undefined;
    const referred = known.find((document) => document.kind === 'AlertPolicy' && document.metadata.name === ref);
    const policy = 'spec' in written ? written.spec : referred?.kind === 'AlertPolicy' ? referred.spec : undefined;
    if (policy === undefined) return err(`there is no AlertPolicy "${ref ?? ''}"`);
    for (const condition of conditionsOf(policy, known)) {
      if (typeof condition === 'string') return err(condition);
      const { op, threshold, lookbackWindow, alertAfter } = condition.condition;
      if (op === 'lt' || op === 'lte')
        return err(`its alert is raised by a burn rate ${op} ${threshold}, which a service without faults has; write gt or gte`);
      const longMs = lengthMsOf(lookbackWindow);
      if (!longMs.ok) return longMs;
      const afterMs = afterMsOf(alertAfter);
      if (!afterMs.ok) return afterMs;
      const shortMs = Math.max(shortOf(written, longMs.value), leastShortMs);
      const severity = ['page', 'critical'].includes(condition.severity) ? 'critical' : 'warning';
      const after = afterMs.value === 0 ? {} : { after: `${afterMs.value / 1_000}s` };
      pairs.push({ long: `${longMs.value / 1_000}s`, short: `${shortMs / 1_000}s`, factor: threshold, severity, ...after });
    }
  }
  return ok(pairs);
}

/** How long a condition must hold before its alert is raised: `5m`, `0m`; a second is the least. */
function afterMsOf(alertAfter: string): Result<number, string> {
  if (/^0+[a-zA-Z]*$/.test(alertAfter)) return ok(0);
  const exact = parseDuration(alertAfter);
  const found = exact.ok ? exact : lengthMsOf(alertAfter);
  if (!found.ok) return err(`alertAfter: ${found.error}`);
  return found.value > DAY_MS ? err(`alertAfter: ${alertAfter} is longer than a day`) : ok(found.value);
}

/** What policies name that is not there. */
function policyWarnings({ spec }: OpenSlo, known: Known): readonly string[] {
  return spec.alertPolicies.flatMap((written) => {
    const policy = policyOf(written, known);
    if (policy === undefined) return [];
    const lost = policy.notificationTargets.flatMap((target) => {
      const ref = typeof target === 'object' && target !== null && 'targetRef' in target ? String(target.targetRef) : undefined;
      const isKnown = known.some((document) => document.kind === 'AlertNotificationTarget' && document.metadata.name === ref);
      return ref === undefined || isKnown ? [] : [`there is no AlertNotificationTarget "${ref}"`];
    });
    return lost;
  });
}

function policyOf(written: OpenSlo['spec']['alertPolicies'][number], known: Known): PolicySpec | undefined {
  if ('spec' in written) return written.spec;
  const found = known.find((document) => document.kind === 'AlertPolicy' && document.metadata.name === written.alertPolicyRef);
  return found?.kind === 'AlertPolicy' ? found.spec : undefined;
}

/** An export writes the short window into the policy's name. */
function shortOf(written: OpenSlo['spec']['alertPolicies'][number], longMs: number): number {
  const name = 'metadata' in written ? (written.metadata?.name ?? '') : '';
  const parsed = parseDuration(burnName.exec(name)?.[1] ?? '');
  return parsed.ok ? parsed.value : Math.round(longMs / 12);
}

function conditionsOf(policy: PolicySpec, known: Known) {
  return policy.conditions.map((written) => {
    if ('spec' in written) return written.spec;
    const found = known.find((document) => document.kind === 'AlertCondition' && document.metadata.name === written.conditionRef);
    return found?.kind === 'AlertCondition' ? found.spec : `there is no AlertCondition "${written.conditionRef}"`;
  });
}
