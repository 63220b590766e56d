import type { Examined } from '@nines/maths/insights/examined.ts';
import { unitOf } from '@nines/model/unit-of.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import type { RuleReads } from '../alerting/contract.ts';
import type { MetricAlias } from '../collect/contract.ts';
import type { ServiceCatalogue } from '../services/contract.ts';
import type { WatchSpec } from '../analytics/contract.ts';
import { keepsLabels } from './narrow.ts';

type Labels = Readonly<Record<string, string>>;

/** What a series is about. `key` is the same for everything that is about the same thing. */
export type Subject = { readonly key: string; readonly name: string; readonly href: string | null };

/** One expression that is examined, and how to speak of what it selects. */
export type Candidate = Pick<Examined, 'role' | 'leastChange'> & {
  readonly expr: string;
  /** "Response time": what the sentence begins with. */
  readonly what: string;
  readonly unit: string;
  readonly limit?: number;
  readonly side?: 'above' | 'below';
  /** Candidates of one family measure the same thing: that they move together says nothing. */
  readonly family: string;
  /** Which direction is bad; neither when nobody can tell. */
  readonly worse: 'higher' | 'lower' | 'neither';
  /** Whether the labels of the result tell who may see it. */
  readonly exact: boolean;
  readonly subjectOf: (labels: Labels) => Subject;
};

/** One entry of `analytics.watch`. */
export type Watch = Pick<WatchSpec, 'name' | 'expr' | 'unit' | 'limit' | 'side'>;

/** One rule that people wrote. */
export type WrittenRule = { readonly id: string; readonly name: string; readonly reads: RuleReads };

export type CandidateSources = {
  readonly services: Pick<ServiceCatalogue, 'get'>;
  readonly aliases: readonly MetricAlias[];
  readonly rules: () => readonly WrittenRule[];
  readonly watch: () => readonly Watch[];
};

/** Everything that is examined, what matters most first. */
export function candidatesOf({ services, aliases, rules, watch }: CandidateSources): readonly Candidate[] {
  return [
    ...ofServices(services),
    ...ofBudgets(services),
    ...watch().map(ofWatch),
    ...ofHosts(aliases),
    ...ofApplications(),
    ...rules().flatMap(ofRule),
  ];
}

const serviceSubject =
  (services: CandidateSources['services']) =>
  ({ service = '' }: Labels): Subject => ({
    key: `service:${service}`,
    name: services.get(service)?.name ?? service,
    href: services.get(service) === undefined ? null : `/services/${encodeURIComponent(service)}`,
  });

function ofServices(services: CandidateSources['services']): readonly Candidate[] {
  const common = { role: 'performance', worse: 'higher', exact: true, subjectOf: serviceSubject(services) } as const;
  return [
    {
      ...common,
      expr: 'avg by (service) (avg_over_time(probe_duration_seconds[15m]))',
      what: 'Response time',
      unit: 'seconds',
      family: 'response_time',
      leastChange: 0.02,
    },
    {
      ...common,
      expr: '100 * (1 - avg by (service) (avg_over_time(probe_success[15m])))',
      what: 'Share of failed checks',
      unit: 'percent',
      family: 'failures',
      leastChange: 5,
    },
  ];
}

const ofBudgets = (services: CandidateSources['services']): readonly Candidate[] => [
  {
    expr: '100 * sla_error_budget_spent_seconds / (sla_error_budget_seconds > 0)',
    what: 'Spent error budget',
    unit: 'percent',
    family: 'budget',
    role: 'budget',
    limit: 100,
    worse: 'higher',
    leastChange: 5,
    exact: true,
    subjectOf: ({ sla = '', service = '' }) => ({
      key: `sla:${sla}`,
      name: `${sla} (${services.get(service)?.name ?? service})`,
      href: `/slas/${encodeURIComponent(sla)}`,
    }),
  },
];

/** What hosts run out of: the alias, what it is called, the limit, the least change and the family. */
const RESOURCES: readonly (readonly [alias: string, what: string, limit: number, leastChange: number, family: string])[] = [
  ['system.disk.percent', 'Disk space in use', 100, 1, 'disk'],
  ['system.memory.percent', 'Memory in use', 95, 3, 'memory'],
  ['system.cpu.percent', 'CPU use', 90, 5, 'cpu'],
  ['system.file_descriptors.percent', 'Open file descriptors', 100, 2, 'descriptors'],
];
const hostOf = ({ instance = '', mountpoint }: Labels): Subject => ({
  key: `host:${instance}`,
  name: mountpoint === undefined ? instance : `${mountpoint} on ${instance}`,
  href: '/health',
});

function ofHosts(aliases: readonly MetricAlias[]): readonly Candidate[] {
  const named = (name: string): string | undefined => aliases.find((alias) => alias.name === name)?.expr;
  const resources = RESOURCES.flatMap(([alias, what, limit, leastChange, family]): Candidate[] => {
    const expr = named(alias);
    if (expr === undefined) return [];
    const exact = keepsLabels(expr);
    return [
      {
        expr,
        what,
        unit: 'percent',
        limit,
        side: 'above',
        role: 'resource',
        worse: 'higher',
        family,
        leastChange,
        exact,
        subjectOf: hostOf,
      },
    ];
  });
  const rss = named('process.rss_bytes');
  if (rss === undefined) return resources;
  const leak = {
    what: 'Memory',
    unit: 'bytes',
    role: 'resource',
    worse: 'higher',
    family: 'memory',
    leastChange: 32 * 1024 * 1024,
  } as const;
  return [
    ...resources,
    { ...leak, expr: rss, exact: keepsLabels(rss), subjectOf: () => ({ key: 'process:nines', name: 'Nines', href: '/health' }) },
  ];
}

const RATE = '[15m]';
const ofJob = ({ job = '' }: Labels): Subject => ({ key: `job:${job}`, name: job, href: null });

function ofApplications(): readonly Candidate[] {
  const sum = (selector: string): string => `sum by (job) (rate(${selector}${RATE}))`;
  const common = { exact: false, subjectOf: ofJob } as const;
  return [
    {
      ...common,
      expr: `${sum('http_request_duration_seconds_sum')} / ${sum('http_request_duration_seconds_count')}`,
      what: 'Response time',
      unit: 'seconds',
      role: 'performance',
      worse: 'higher',
      family: 'response_time',
      leastChange: 0.005,
    },
    {
      ...common,
      expr: `100 * ${sum('http_requests_total{code=~"5.."}')} / ${sum('http_requests_total')}`,
      what: 'Error rate',
      unit: 'percent',
      role: 'performance',
      worse: 'higher',
      family: 'failures',
      leastChange: 0.5,
    },
    {
      ...common,
      expr: sum('http_requests_total'),
      what: 'Requests a second',
      unit: 'count',
      role: 'load',
      worse: 'neither',
      family: 'load',
      leastChange: 0.1,
    },
  ];
}

/** A counter only grows: what is looked at is its rate. */
function rateOf(text: string): string {
  const parsed = parseExpr(text);
  return parsed.ok && parsed.value.kind === 'selector' && /_(total|count|sum|bucket)$/.test(parsed.value.name ?? '')
    ? `rate(${text}${RATE})`
    : text;
}

/** Labels that say nothing a reader needs. */
const SILENT: ReadonlySet<string> = new Set(['__name__', 'job']);
const labelled = (labels: Labels): string =>
  Object.entries(labels)
    .filter(([name]) => !SILENT.has(name))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');

function ofWatch({ expr: written, name, unit, limit, side }: Watch): Candidate {
  const expr = rateOf(written);
  return {
    expr,
    what: name,
    unit,
    ...(limit === undefined ? {} : { limit, side }),
    role: 'other',
    worse: limit === undefined ? 'neither' : side === 'above' ? 'higher' : 'lower',
    family: `watch:${expr}`,
    leastChange: 0,
    exact: keepsLabels(expr),
    subjectOf: (labels) => ({ key: `watch:${name}:${labelled(labels)}`, name: labelled(labels), href: null }),
  };
}

/** The figure that a rule compares with a number. What it fires at is the limit. */
function ofRule({ name, reads: { queries, threshold } }: WrittenRule): readonly Candidate[] {
  const [query] = queries;
  if (queries.length !== 1 || query === undefined || threshold === null || threshold.op === '==' || threshold.op === '!=') return [];
  const side = threshold.op.startsWith('>') ? 'above' : 'below';
  return [
    {
      expr: query.expr,
      what: `What the rule ${name} compares`,
      unit: unitOf(query.expr) ?? 'count',
      limit: threshold.value,
      side,
      role: 'other',
      worse: side === 'above' ? 'higher' : 'lower',
      family: `rule:${query.expr}`,
      leastChange: 0,
      exact: keepsLabels(query.expr),
      subjectOf: (labels) => ({ key: `rule:${name}:${labelled(labels)}`, name: labelled(labels), href: '/rules' }),
    },
  ];
}
