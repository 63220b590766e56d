import { DAY_MS, HOUR_MS, MINUTE_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { counterTerms } from '../counters.ts';
import { lintAlert } from '../lint.ts';
import { parseRatioText } from '../spec.ts';
import { type DefinedSla, type Definitions, type GeneratedGroup, type GeneratedRule, faultOf, goNumber, promLength } from './generated.ts';

/** Sloth's `prometheus/v1` documents, and the rules that Sloth generates from them. Source: slok/sloth, core plugins. */

const texts = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))
  .nullish()
  .transform((found) => found ?? {});
const alert = z
  .object({ disable: z.boolean().default(false), labels: texts, annotations: texts })
  .nullish()
  .transform((found) => found ?? { disable: false, labels: {}, annotations: {} });

const slothSlo = z.object({
  name: z.string().min(1),
  objective: z.number().positive().lt(100, 'an objective is a percentage below 100'),
  description: z.string().default(''),
  labels: texts,
  sli: z.union([
    z.object({ events: z.object({ error_query: z.string(), total_query: z.string() }) }),
    z.object({ raw: z.object({ error_ratio_query: z.string() }) }),
  ]),
  alerting: z
    .object({ name: z.string().default(''), labels: texts, annotations: texts, page_alert: alert, ticket_alert: alert })
    .prefault({}),
});
export const slothDocument = z.object({
  version: z.literal('prometheus/v1'),
  service: z.string().min(1),
  labels: texts,
  slos: z.array(slothSlo).min(1),
});
type Slo = z.output<typeof slothSlo>;

/** One SLO with everything that its rules name. */
export type SlothSlo = {
  readonly id: string;
  readonly service: string;
  readonly name: string;
  /** Per cent. */
  readonly objective: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly sli: Slo['sli'];
  readonly alerting: Slo['alerting'];
  /** `prometheus/v1` or `openslo/v1alpha`. */
  readonly spec: string;
  readonly windowMs: number;
};

/** What Sloth's command line adds: its own version and mode, and labels for all rules. */
export type SlothOptions = { readonly version?: string; readonly mode?: string; readonly extraLabels?: Readonly<Record<string, string>> };

const DEFAULT_WINDOW_MS = 30 * DAY_MS;
/** The window that an SLI is evaluated over between two looks. */
const SLI_WINDOW = '5m';

export function slothDefinitions(document: z.output<typeof slothDocument>, options: SlothOptions = {}): Definitions {
  const slos = document.slos.map(
    (slo): SlothSlo => ({
      ...slo,
      id: `${document.service}-${slo.name}`,
      service: document.service,
      labels: { ...document.labels, ...slo.labels },
      spec: document.version,
      windowMs: DEFAULT_WINDOW_MS,
    }),
  );
  return definitionsOf(slos, options);
}

/** Queries that are no PromQL (Sloth has plugins for other dialects) are warned of and left out. */
export function definitionsOf(slos: readonly SlothSlo[], options: SlothOptions): Definitions {
  const warnings: string[] = [];
  const usable = slos.filter((slo) => {
    const fault = faultOf(sliExpr(slo, SLI_WINDOW));
    if (fault !== undefined) warnings.push(`the SLO "${slo.id}" is left out, as its query is no PromQL: ${fault}`);
    return fault === undefined;
  });
  warnings.push(...usable.flatMap(lintSlo));
  return { slas: usable.map(slaOf), groups: usable.flatMap((slo) => groupsOf(slo, options)), warnings, problems: [] };
}

const inWindow = (query: string, window: string): string => query.replaceAll(/\{\{\s*\.window\s*\}\}/g, window);

/** The share of errors over a window, as Sloth writes it. */
function sliExpr({ sli }: SlothSlo, window: string): string {
  if ('raw' in sli) return `(${inWindow(sli.raw.error_ratio_query, window)})`;
  return `(${inWindow(sli.events.error_query, window)})\n/\n(${inWindow(sli.events.total_query, window)})\n`;
}

/** Counters are counted exactly; anything else is the mean of its share of errors, as Sloth's own period is. */
function slaOf(slo: SlothSlo): DefinedSla {
  const about = { id: slo.id, service: slo.service, target: `${slo.objective}%`, window: { rolling: promLength(slo.windowMs) } };
  if ('events' in slo.sli) {
    const [bad, total] = [slo.sli.events.error_query, slo.sli.events.total_query].map((query) => inWindow(query, SLI_WINDOW).trim());
    if (bad !== undefined && total !== undefined && counterTerms(bad).ok && counterTerms(total).ok) {
      return { ...about, indicator: { kind: 'ratio', bad, total } };
    }
  }
  return { ...about, indicator: { kind: 'ratio', error_ratio: sliExpr(slo, SLI_WINDOW).trim() } };
}

const WINDOWS_MS = [5 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS, 6 * HOUR_MS, DAY_MS, 3 * DAY_MS];
/** Share of the period's budget in per cent that a pair lets burn. */
const PAIRS = {
  page: [
    { percent: 2, longMs: HOUR_MS, shortMs: 5 * MINUTE_MS },
    { percent: 5, longMs: 6 * HOUR_MS, shortMs: 30 * MINUTE_MS },
  ],
  ticket: [
    { percent: 10, longMs: DAY_MS, shortMs: 2 * HOUR_MS },
    { percent: 10, longMs: 3 * DAY_MS, shortMs: 6 * HOUR_MS },
  ],
} as const;

function groupsOf(slo: SlothSlo, options: SlothOptions): readonly GeneratedGroup[] {
  const ids = { sloth_id: slo.id, sloth_service: slo.service, sloth_slo: slo.name };
  const labels = { ...options.extraLabels, ...slo.labels, ...ids };
  const alerts = (['page', 'ticket'] as const).flatMap((severity) => alertRule(slo, severity));
  return [
    { name: `sloth-slo-sli-recordings-${slo.id}`, rules: sliRules(slo, labels) },
    { name: `sloth-slo-meta-recordings-${slo.id}`, rules: metaRules(slo, labels, options) },
    ...(alerts.length === 0 ? [] : [{ name: `sloth-slo-alerts-${slo.id}`, rules: alerts }]),
  ];
}

const selectorOf = ({ id, service, name }: SlothSlo): string =>
  `{sloth_id=${JSON.stringify(id)}, sloth_service=${JSON.stringify(service)}, sloth_slo=${JSON.stringify(name)}}`;
const sliName = (windowMs: number): string => `slo:sli_error:ratio_rate${promLength(windowMs)}`;

function sliRules(slo: SlothSlo, labels: Readonly<Record<string, string>>): readonly GeneratedRule[] {
  const rule = (windowMs: number, expr: string): GeneratedRule => ({
    record: sliName(windowMs),
    expr,
    labels: { ...labels, sloth_window: promLength(windowMs) },
  });
  const short = `slo:sli_error:ratio_rate5m${selectorOf(slo)}[${promLength(slo.windowMs)}]`;
  return [
    ...WINDOWS_MS.map((windowMs) => rule(windowMs, sliExpr(slo, promLength(windowMs)))),
    rule(slo.windowMs, `sum_over_time(${short})\n/ ignoring (sloth_window)\ncount_over_time(${short})\n`),
  ];
}

function metaRules(slo: SlothSlo, labels: Readonly<Record<string, string>>, options: SlothOptions): readonly GeneratedRule[] {
  // Sloth reckons in binary floats, and its dashboards compare with what comes of it.
  const objective = slo.objective / 100;
  const of = selectorOf(slo);
  const burn = (sli: string): string => `${sli}${of}\n/ on(sloth_id, sloth_slo, sloth_service) group_left\nslo:error_budget:ratio${of}\n`;
  const rule = (record: string, expr: string): GeneratedRule => ({ record, expr, labels });
  const info = {
    ...labels,
    sloth_mode: options.mode ?? 'cli-gen-prom',
    sloth_objective: String(slo.objective),
    sloth_spec: slo.spec,
    sloth_version: options.version ?? 'dev',
  };
  return [
    rule('slo:objective:ratio', `vector(${goNumber(objective)})`),
    rule('slo:error_budget:ratio', `vector(1-${goNumber(objective)})`),
    rule('slo:time_period:days', `vector(${slo.windowMs / DAY_MS})`),
    rule('slo:current_burn_rate:ratio', burn('slo:sli_error:ratio_rate5m')),
    rule('slo:period_burn_rate:ratio', burn(sliName(slo.windowMs))),
    rule('slo:period_error_budget_remaining:ratio', `1 - slo:period_burn_rate:ratio${of}`),
    { record: 'sloth_slo_info', expr: 'vector(1)', labels: info },
  ];
}

const factorOf = (slo: SlothSlo, { percent, longMs }: { readonly percent: number; readonly longMs: number }): number =>
  ((percent / 100) * (slo.windowMs / HOUR_MS)) / (longMs / HOUR_MS);

function lintSlo(slo: SlothSlo): readonly string[] {
  const pairs = (['page', 'ticket'] as const).flatMap((severity) =>
    alertRule(slo, severity).length === 0
      ? []
      : PAIRS[severity].map((pair) => ({ short: promLength(pair.shortMs), long: promLength(pair.longMs), factor: factorOf(slo, pair) })),
  );
  const target = parseRatioText(`${slo.objective}%`);
  return target.ok ? lintAlert({ alert: slo.alerting.name, slo: slo.id, target: target.value }, pairs) : [];
}

function alertRule(slo: SlothSlo, severity: 'page' | 'ticket'): readonly GeneratedRule[] {
  const { alerting } = slo;
  const own = severity === 'page' ? alerting.page_alert : alerting.ticket_alert;
  if (own.disable || alerting.name === '') return [];
  const allowed = goNumber((100 - slo.objective) / 100);
  const above = (windowMs: number, factor: string): string =>
    `max(${sliName(windowMs)}${selectorOf(slo)} > (${factor} * ${allowed})) without (sloth_window)`;
  const pairs = PAIRS[severity].map(({ percent, longMs, shortMs }) => {
    const factor = goNumber(factorOf(slo, { percent, longMs }));
    return `(\n    ${above(shortMs, factor)}\n    and\n    ${above(longMs, factor)}\n)`;
  });
  const what = '{{$labels.sloth_service}} {{$labels.sloth_slo}} SLO error budget burn rate is';
  return [
    {
      alert: alerting.name,
      expr: `${pairs.join('\nor\n')}\n`,
      labels: { ...alerting.labels, ...own.labels, sloth_severity: severity },
      annotations: {
        title: `(${severity}) ${what} too fast.`,
        summary: `${what} over expected.`,
        ...alerting.annotations,
        ...own.annotations,
      },
    },
  ];
}
