import { amountText, parseAmount } from '@nines/maths/slo/credits.ts';
import { createHash } from 'node:crypto';
import { currencyDigits } from '../spec.ts';
import type { Recommendation } from '../statements/recommendations.ts';
import type { Signed } from '../statements/signature.ts';
import type { Rendered } from '../statements/service.ts';
import type { CalendarView, ExclusionStretchView, SignedStatement } from '../statements/statement.ts';

/**
 * A report over several contracts: what was promised and attained in one period, what is owed in all, how the services were. A pure
 * function of the contracts' statements, each of which is named by the digest of its bytes: whoever has them can check every line.
 */
export type Report = {
  readonly kind: 'nines.sla.report';
  readonly format: 1;
  /** The customer's id, or `report`. */
  readonly id: string;
  readonly title: string;
  readonly period: SignedStatement['period'];
  readonly calendar: Pick<CalendarView, 'name' | 'zone'>;
  readonly finality: SignedStatement['finality'];
  readonly customer: { readonly id: string; readonly name: string } | null;
  readonly totals: {
    readonly contracts: number;
    readonly met: number;
    readonly at_risk: number;
    readonly breached: number;
    readonly unknown: number;
    /** What is owed, by currency. */
    readonly credits: readonly { readonly currency: string; readonly amount: string }[];
  };
  /** By id. */
  readonly contracts: readonly ReportedContract[];
  /** By id. */
  readonly services: readonly ReportedService[];
};
export type SignedReport = Signed<Report>;

export type ReportedContract = Pick<
  SignedStatement,
  | 'id'
  | 'name'
  | 'service'
  | 'status'
  | 'status_reason'
  | 'target'
  | 'objective'
  | 'attained'
  | 'attained_bounds'
  | 'young'
  | 'budget'
  | 'buckets'
  | 'credit'
> & {
  readonly trend: SignedStatement['trend'];
  readonly violations: number;
  readonly exclusions: readonly ExclusionStretchView[];
  readonly recommendations: readonly Recommendation[];
  readonly statement: { readonly revision: number | null; readonly sha256: string };
};

/** How a service was over the period, from its outages in the statements. */
export type ReportedService = {
  readonly id: string;
  readonly name: string;
  readonly outages: number;
  readonly open: number;
  readonly down_ms: number;
  readonly longest_ms: number | null;
  /** Of the outages that ended. */
  readonly mttr_ms: number | null;
};

export type ReportInputs = {
  readonly statements: readonly Rendered[];
  readonly title: string | undefined;
  readonly serviceName: (id: string) => string;
};

/** Of one statement at least, all about one period and one customer. */
export function makeReport({ statements: rendered, title, serviceName }: ReportInputs): Report {
  const sorted = [...rendered].sort((a, b) => (a.statement.id < b.statement.id ? -1 : 1));
  const statements = sorted.map(({ statement }) => statement);
  const [first] = statements;
  if (first === undefined) throw new Error('a report of one statement at least');
  const countOf = (status: SignedStatement['status']): number => statements.filter((one) => one.status === status).length;
  const customer = first.customer === null ? null : { id: first.customer.id, name: first.customer.name };
  return {
    kind: 'nines.sla.report',
    format: 1,
    id: customer?.id ?? 'report',
    title: title ?? (customer === null ? 'Service levels' : `Service levels for ${customer.name}`),
    period: first.period,
    calendar: { name: first.calendar.name, zone: first.calendar.zone },
    finality: statements.every(({ finality }) => finality === 'final') ? 'final' : 'provisional',
    customer,
    totals: {
      contracts: statements.length,
      met: countOf('met'),
      at_risk: countOf('at_risk'),
      breached: countOf('breached'),
      unknown: countOf('unknown'),
      credits: creditsOf(statements),
    },
    contracts: sorted.map(contractOf),
    services: [...new Set(statements.map(({ service }) => service))].sort().map((id) => serviceOf(id, statements, serviceName)),
  };
}

function contractOf({ statement, text }: Rendered): ReportedContract {
  const { id, name, service, status, status_reason, target, objective, attained, attained_bounds } = statement;
  const { young, budget, buckets, credit } = statement;
  return {
    id,
    name,
    service,
    status,
    status_reason,
    target,
    objective,
    attained,
    attained_bounds,
    young,
    budget,
    buckets,
    credit,
    trend: statement.trend,
    violations: statement.violations.length,
    exclusions: statement.exclusions,
    recommendations: statement.recommendations,
    statement: { revision: statement.revision?.number ?? null, sha256: createHash('sha256').update(text).digest('hex') },
  };
}

/** Sums in the smallest unit of each currency: nobody adds money in binary floats. */
function creditsOf(statements: readonly SignedStatement[]): Report['totals']['credits'] {
  const sums = new Map<string, bigint>();
  for (const { credit } of statements) {
    if (credit === null || credit.amount === null) continue;
    const amount = parseAmount(credit.amount, currencyDigits(credit.currency)) ?? 0n;
    sums.set(credit.currency, (sums.get(credit.currency) ?? 0n) + amount);
  }
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, amount]) => ({ currency, amount: amountText(amount, currencyDigits(currency)) }));
}

function serviceOf(id: string, statements: readonly SignedStatement[], serviceName: ReportInputs['serviceName']): ReportedService {
  const of = statements.find(({ service }) => service === id);
  const endMs = of?.known_until_at_ms ?? of?.period.to_at_ms ?? 0;
  const fromMs = of?.period.from_at_ms ?? 0;
  const downtimes = of?.downtimes ?? [];
  const lengths = downtimes.map((one) => Math.min(one.to_at_ms ?? endMs, endMs) - Math.max(one.from_at_ms, fromMs));
  const ended = downtimes.flatMap(({ from_at_ms: from, to_at_ms: to }) => (to === null ? [] : [to - from]));
  return {
    id,
    name: serviceName(id),
    outages: downtimes.length,
    open: downtimes.length - ended.length,
    down_ms: lengths.reduce((sum, length) => sum + length, 0),
    longest_ms: lengths.length === 0 ? null : Math.max(...lengths),
    mttr_ms: ended.length === 0 ? null : Math.round(ended.reduce((sum, length) => sum + length, 0) / ended.length),
  };
}
