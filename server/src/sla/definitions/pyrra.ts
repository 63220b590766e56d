import { parseDuration } from '@nines/base/duration.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import type { VectorSelector } from '@nines/promql/ast.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { z } from 'zod';
import { lintAlert } from '../lint.ts';
import { parseRatioText } from '../spec.ts';
import { type DefinedSla, type Definitions, type GeneratedGroup, type GeneratedRule, promLength } from './generated.ts';

/** Pyrra's ServiceLevelObjective, and the rules that Pyrra generates from it. Source: pyrra-dev/pyrra, slo/rules.go. */

/** A plain selector: Pyrra builds its expressions around it. */
const selector = z.string().transform((text, context): Metric => {
  const parsed = parseExpr(text);
  if (parsed.ok && parsed.value.kind === 'selector' && parsed.value.name !== undefined)
    return { text, name: parsed.value.name, selector: parsed.value };
  context.addIssue({ code: 'custom', message: parsed.ok ? `"${text}" is no selector with a name` : parsed.error.message });
  return z.NEVER;
});
const metric = z.object({ metric: selector }).transform((written) => written.metric);
type Metric = { readonly text: string; readonly name: string; readonly selector: VectorSelector };

const length = z.string().transform((text, context) => {
  const parsed = parseDuration(text);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error });
  return z.NEVER;
});
const grouping = z.array(z.string()).default([]);
const indicator = z.object({
  ratio: z.object({ errors: metric, total: metric, grouping }).optional(),
  latency: z.object({ success: metric, total: metric, grouping }).optional(),
  latencyNative: z.object({ latency: length, total: metric, grouping }).optional(),
  bool_gauge: z.object({ metric: selector, grouping }).optional(),
});
const texts = z.record(z.string(), z.string()).default({});

export const pyrraDocument = z.object({
  apiVersion: z.literal('pyrra.dev/v1alpha1'),
  kind: z.literal('ServiceLevelObjective'),
  metadata: z.object({ name: z.string().min(1), namespace: z.string().optional(), labels: texts, annotations: texts }),
  spec: z.object({
    target: z.coerce.string().refine((text) => Number(text) > 0 && Number(text) < 100, 'a target is a percentage above 0 and below 100'),
    window: length,
    description: z.string().default(''),
    indicator,
    alerting: z
      .object({
        disabled: z.boolean().default(false),
        name: z.string().default('ErrorBudgetBurn'),
        burnrates: z.boolean().default(true),
        absent: z.boolean().default(true),
      })
      .prefault({}),
  }),
});
type Document = z.output<typeof pyrraDocument>;

/** What the rules are made of, whatever the kind of indicator. */
type Subject = {
  readonly total: Metric;
  /** What is counted besides: errors, or successes. */
  readonly other: Metric | undefined;
  readonly grouping: readonly string[];
  readonly sla: DefinedSla['indicator'];
  /** The share of errors over a range. */
  readonly burnrate: (range: string, by: string) => string;
};

export function pyrraDefinitions(document: Document): Definitions {
  const subject = subjectOf(document);
  const { name } = document.metadata;
  if (subject === undefined)
    return { slas: [], groups: [], warnings: [], problems: [`the objective "${name}" has no indicator that is known`] };
  const sla: DefinedSla = {
    id: name,
    service: document.metadata.namespace ?? name,
    indicator: subject.sla,
    target: `${document.spec.target}%`,
    window: { rolling: promLength(document.spec.window) },
  };
  const groups = [burnrateGroup(document, subject), increaseGroup(document, subject)];
  if (subject.grouping.length === 0) groups.push(genericGroup(document, subject));
  const { alerting } = document.spec;
  const target = parseRatioText(`${document.spec.target}%`);
  const impossible =
    target.ok && !alerting.disabled && alerting.burnrates
      ? lintAlert(
          { alert: alerting.name, slo: name, target: target.value },
          windowsOf(document.spec.window).map(({ shortMs, longMs, factor }) => ({
            short: promLength(shortMs),
            long: promLength(longMs),
            factor,
          })),
        )
      : [];
  const split = `the objective "${name}" is one SLA over all of its ${subject.grouping.join(', ')}; its rules keep them apart`;
  return { slas: [sla], groups, warnings: subject.grouping.length === 0 ? impossible : [split, ...impossible], problems: [] };
}

function subjectOf({ spec }: Document): Subject | undefined {
  const { ratio, latency, latencyNative, bool_gauge: gauge } = spec.indicator;
  if (ratio !== undefined) {
    const { errors, total } = ratio;
    return {
      total,
      other: errors,
      grouping: ratio.grouping,
      sla: { kind: 'ratio', bad: errors.text, total: total.text },
      burnrate: (range, by) => `sum${by} (rate(${errors.text}[${range}])) / sum${by} (rate(${total.text}[${range}]))`,
    };
  }
  if (latency !== undefined) {
    const { success, total } = latency;
    const rate = (of: Metric, range: string, by: string): string => `sum${by} (rate(${of.text}[${range}]))`;
    return {
      total,
      other: success,
      grouping: latency.grouping,
      sla: { kind: 'ratio', good: success.text, total: total.text },
      burnrate: (range, by) => `(${rate(total, range, by)} - ${rate(success, range, by)}) / ${rate(total, range, by)}`,
    };
  }
  if (latencyNative !== undefined) {
    const { total, latency: limitMs } = latencyNative;
    const share = (range: string, by: string): string =>
      `1 - histogram_fraction(0, ${limitMs / SECOND_MS}, sum${by} (rate(${total.text}[${range}])))`;
    return {
      total,
      other: undefined,
      grouping: latencyNative.grouping,
      sla: { kind: 'ratio', error_ratio: share('5m', '') },
      burnrate: share,
    };
  }
  if (gauge === undefined) return undefined;
  const total = gauge.metric;
  const over = (what: string, range: string, by: string): string => `sum${by} (${what}_over_time(${total.text}[${range}]))`;
  return {
    total,
    other: undefined,
    grouping: gauge.grouping,
    sla: { kind: 'ratio', query: total.text, condition: '>=', threshold: 1 },
    burnrate: (range, by) => `(${over('count', range, by)} - ${over('sum', range, by)}) / ${over('count', range, by)}`,
  };
}

/** Labels of the objective that are meant for what comes of it. */
const PROPAGATED = 'pyrra.dev/';
const propagated = (of: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(of).flatMap(([name, value]) => (name.startsWith(PROPAGATED) ? [[name.slice(PROPAGATED.length), value]] : [])),
  );
const commonLabels = ({ metadata }: Document): Record<string, string> => ({ slo: metadata.name, ...propagated(metadata.labels) });

type Matcher = { readonly name: string; readonly op: string; readonly value: string };
const matchersOf = ({ selector }: Metric): readonly Matcher[] =>
  selector.matchers.flatMap(({ name, op, value }) => (name === '__name__' ? [] : [{ name, op, value }]));
const isRegex = ({ op }: Matcher): boolean => op.includes('~');

/** The labels that a selector fixes and a grouping does not carry. */
function fixedLabels(document: Document, total: Metric, grouped: ReadonlySet<string>): Record<string, string> {
  const labels = commonLabels(document);
  for (const { name, op, value } of matchersOf(total)) if (op === '=') labels[name] = value;
  for (const name of grouped) delete labels[name];
  return labels;
}

const MINUTES_OF_28_DAYS = 28 * 24 * 60;
/** For, long and short in minutes of 28 days. */
const WINDOWS = [
  { severity: 'critical', for: 2, long: 60, short: 5, factor: 14 },
  { severity: 'critical', for: 15, long: 360, short: 30, factor: 7 },
  { severity: 'warning', for: 60, long: 1440, short: 120, factor: 2 },
  { severity: 'warning', for: 180, long: 5760, short: 360, factor: 1 },
] as const;
type Window = {
  readonly severity: string;
  readonly forMs: number;
  readonly longMs: number;
  readonly shortMs: number;
  readonly factor: number;
};

function windowsOf(windowMs: number): readonly Window[] {
  const scaled = (minutes: number): number => Math.round((windowMs * minutes) / MINUTES_OF_28_DAYS / MINUTE_MS) * MINUTE_MS;
  return WINDOWS.map(({ severity, factor, ...of }) => ({
    severity,
    factor,
    forMs: scaled(of.for),
    longMs: scaled(of.long),
    shortMs: scaled(of.short),
  }));
}

const recordName = (metricName: string, what: string, rangeMs: number): string =>
  `${metricName
    .replace(/_total$/, '')
    .replace(/_count$/, '')
    .replace(what === 'increase' ? /_bucket$/ : /$^/, '')}:${what}${promLength(rangeMs)}`;
const byOf = (labels: Iterable<string>): string => {
  const names = [...labels].sort();
  return names.length === 0 ? '' : ` by (${names.join(', ')})`;
};

/** Pyrra's decimals of a target: `99.9` per cent is `0.999`. */
const targetOf = ({ spec }: Document): number => Number((Number(spec.target) / 100).toPrecision(15));

function burnrateGroup(document: Document, subject: Subject): GeneratedGroup {
  const { metadata, spec } = document;
  const windows = windowsOf(spec.window);
  const grouped = new Set(subject.grouping);
  const labels = fixedLabels(document, subject.total, grouped);
  const ranges = [...new Set(windows.flatMap(({ longMs, shortMs }) => [longMs, shortMs]))].sort((a, b) => a - b);
  const name = (rangeMs: number): string => recordName(subject.total.name, 'burnrate', rangeMs);
  const rules: GeneratedRule[] = ranges.map((rangeMs) => ({
    record: name(rangeMs),
    expr: subject.burnrate(promLength(rangeMs), byOf(grouped)),
    labels,
  }));
  if (!spec.alerting.disabled && spec.alerting.burnrates) {
    const kept = matchersOf(subject.total).filter((matcher) => grouped.has(matcher.name) || !isRegex(matcher));
    const matchers = [
      ...kept.map(({ name: label, op, value }) => `${label}${op}${JSON.stringify(value)}`),
      `slo=${JSON.stringify(metadata.name)}`,
    ];
    const of = `{${matchers.sort().join(',')}}`;
    for (const { severity, forMs, longMs, shortMs, factor } of windows) {
      const limit = `(${factor} * (1-${targetOf(document)}))`;
      const exhaustion = promLength(spec.window / factor);
      rules.push({
        alert: spec.alerting.name,
        expr: `${name(shortMs)}${of} > ${limit} and ${name(longMs)}${of} > ${limit}`,
        for: promLength(forMs),
        labels: { ...labels, short: promLength(shortMs), long: promLength(longMs), severity, exhaustion },
        ...annotationsOf(document),
      });
    }
  }
  return { name: metadata.name, interval: '30s', rules };
}

function annotationsOf({ metadata }: Document): Pick<GeneratedRule, 'annotations'> {
  const annotations = propagated(metadata.annotations);
  return Object.keys(annotations).length === 0 ? {} : { annotations };
}

/** Half a minute more for each week, from 30 s to 4 min. */
const increaseInterval = (windowMs: number): string =>
  promLength(Math.min(8, Math.max(1, 1 + Math.floor(windowMs / (7 * DAY_MS)))) * 30 * SECOND_MS);

function increaseGroup(document: Document, subject: Subject): GeneratedGroup {
  const { metadata, spec } = document;
  const isGauge = spec.indicator.bool_gauge !== undefined && subject.other === undefined;
  const of = matchersOf(subject.total);
  const grouped = new Set(subject.grouping);
  if (spec.indicator.latencyNative === undefined || isGauge) {
    for (const matcher of of) if (isGauge || isRegex(matcher)) grouped.add(matcher.name);
    const inTotal = new Set(of.map(({ name }) => name));
    for (const { name } of subject.other === undefined ? [] : matchersOf(subject.other))
      if (!inTotal.has(name) && name !== 'le') grouped.add(name);
  }
  const native = spec.indicator.latencyNative;
  const labels = fixedLabels(document, subject.total, native === undefined ? grouped : new Set());
  const rules = isGauge
    ? gaugeRules(subject.total, { range: spec.window, by: byOf(grouped), labels })
    : native === undefined
      ? counterRules(subject, { range: spec.window, by: byOf(grouped), labels, isLatency: spec.indicator.latency !== undefined })
      : nativeRules(subject.total, { range: spec.window, by: byOf(grouped), labels, limit: native.latency / SECOND_MS });
  return {
    name: `${metadata.name}-increase`,
    interval: increaseInterval(spec.window),
    rules: [...rules, ...absentRules(document, subject, labels)],
  };
}

type Increase = { readonly range: number; readonly by: string; readonly labels: Readonly<Record<string, string>> };

function counterRules({ total, other }: Subject, at: Increase & { readonly isLatency: boolean }): readonly GeneratedRule[] {
  const rule = (of: Metric, labels: Readonly<Record<string, string>>): GeneratedRule => ({
    record: recordName(of.name, 'increase', at.range),
    expr: `sum${at.by} (increase(${of.text}[${promLength(at.range)}]))`,
    labels,
  });
  if (other === undefined || (!at.isLatency && other.name === total.name)) return [rule(total, at.labels)];
  const le = matchersOf(other).find(({ name }) => name === 'le')?.value ?? '';
  return [rule(total, at.labels), rule(other, at.isLatency ? { ...at.labels, le } : at.labels)];
}

function gaugeRules(total: Metric, { range, by, labels }: Increase): readonly GeneratedRule[] {
  return (['count', 'sum'] as const).map((what) => ({
    record: `${total.name}:${what}${promLength(range)}`,
    expr: `sum${by} (${what}_over_time(${total.text}[${promLength(range)}]))`,
    labels,
  }));
}

function nativeRules(total: Metric, { range, by, labels, limit }: Increase & { readonly limit: number }): readonly GeneratedRule[] {
  const record = recordName(total.name, 'increase', range);
  const sum = `sum${by} (increase(${total.text}[${promLength(range)}]))`;
  return [
    { record, expr: `histogram_count(${sum})`, labels },
    { record, expr: `histogram_fraction(0, ${limit}, ${sum}) * histogram_count(${sum})`, labels: { ...labels, le: String(limit) } },
  ];
}

/** When no data burns like errors only: as long as the first pair would take to fire. */
function absentRules(document: Document, { total, other }: Subject, labels: Readonly<Record<string, string>>): readonly GeneratedRule[] {
  const { spec } = document;
  const [first] = windowsOf(spec.window);
  if (!spec.alerting.absent || spec.indicator.latencyNative !== undefined || first === undefined) return [];
  const burnMs = Math.floor((first.factor * (1 - targetOf(document)) * first.longMs) / SECOND_MS) * SECOND_MS;
  const rule = (of: Metric, le: Readonly<Record<string, string>>): GeneratedRule => ({
    alert: 'SLOMetricAbsent',
    expr: `absent(${of.text}) == 1`,
    for: promLength(Math.round((burnMs + first.forMs) / MINUTE_MS) * MINUTE_MS),
    labels: { ...labels, ...le, severity: 'critical' },
    ...annotationsOf(document),
  });
  const isLatency = spec.indicator.latency !== undefined;
  if (other === undefined || (!isLatency && other.name === total.name)) return [rule(total, {})];
  const le = matchersOf(other).find(({ name }) => name === 'le')?.value ?? '';
  return [rule(total, {}), rule(other, isLatency ? { le } : {})];
}

function genericGroup(document: Document, { total, other }: Subject): GeneratedGroup {
  const { metadata, spec } = document;
  const labels = commonLabels(document);
  const slo = { name: 'slo', op: '=', value: metadata.name };
  const written = (name: string, matchers: readonly Matcher[]): string =>
    `${name}{${matchers.map((one) => `${one.name}${one.op}${JSON.stringify(one.value)}`).join(',')}}`;
  const recorded = (of: Metric, what: string, more: readonly Matcher[] = []): string =>
    written(what === 'increase' ? recordName(of.name, what, spec.window) : `${of.name}:${what}${promLength(spec.window)}`, [
      ...matchersOf(of),
      ...more,
      slo,
    ]);
  const noLe = { name: 'le', op: '=', value: '' };
  const rate = (of: Metric): string => `sum(rate(${of.text}[5m]))`;
  const rule = (record: string, expr: string): GeneratedRule => ({ record, expr, labels });
  const { ratio, latency, latencyNative } = spec.indicator;
  const rules = [rule('pyrra_objective', String(targetOf(document))), rule('pyrra_window', String(spec.window / SECOND_MS))];
  if (ratio !== undefined && other !== undefined) {
    rules.push(
      rule('pyrra_availability', `1 - sum(${recorded(other, 'increase')} or vector(0)) / sum(${recorded(total, 'increase')})`),
      rule('pyrra_requests:rate5m', rate(total)),
      rule('pyrra_errors:rate5m', `${rate(other)} or vector(0)`),
    );
  } else if (latency !== undefined && other !== undefined) {
    rules.push(
      rule('pyrra_availability', `sum(${recorded(other, 'increase')} or vector(0)) / sum(${recorded(total, 'increase', [noLe])})`),
      rule('pyrra_requests:rate5m', rate(total)),
      rule('pyrra_errors:rate5m', `${rate(total)} - ${rate(other)}`),
    );
  } else if (latencyNative !== undefined) {
    const le = { name: 'le', op: '=', value: String(latencyNative.latency / SECOND_MS) };
    rules.push(
      rule('pyrra_availability', `sum(${recorded(total, 'increase', [le])} or vector(0)) / sum(${recorded(total, 'increase', [noLe])})`),
    );
  } else {
    const [sum, count] = [recorded(total, 'sum'), recorded(total, 'count')];
    rules.push(
      rule('pyrra_availability', `sum(${sum}) / sum(${count})`),
      rule('pyrra_requests:rate5m', `sum(${count})`),
      rule('pyrra_errors:rate5m', `sum(${count}) - sum(${sum})`),
    );
  }
  return { name: `${metadata.name}-generic`, interval: '30s', rules };
}
