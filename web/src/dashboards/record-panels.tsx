import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { parseMatchers } from '@nines/base/matcher-text.ts';
import { type AlertQuestion } from '../alerts/inbox-search.ts';
import { alertCountsQuery, alertStatisticsQuery, alertsOfGroupQuery } from '../api/alerts.ts';
import type { PanelOf } from '../api/dashboards.ts';
import { incidentsQuery } from '../api/incidents.ts';
import { checksQuery } from '../api/checks.ts';
import { servicesQuery, slasQuery } from '../api/queries.ts';
import { burnDownQuery } from '../api/sla-queries.ts';
import type { SlaView } from '../api/wire.ts';
import { Attained, PromisedTarget } from '../components/attained.tsx';
import { Since } from '../components/instant.tsx';
import { AlertList } from '../pages/alert-list.tsx';
import { ChecksTable } from '../pages/checks-table.tsx';
import { worstState } from '../pages/sentences.ts';
import { ServicesTable, byTrouble } from '../pages/services-table.tsx';
import { SlaCard } from '../pages/sla-card.tsx';
import { SlasTable } from '../pages/slas-table.tsx';
import { BurnDown } from '../sla/burn-down.tsx';
import { SlaMark, StateMark } from '../states/state-mark.tsx';
import { STATE_WORDS } from '../states/words.ts';
import { type SourceOf, useReport } from './context.ts';
import { IncidentRows } from './incident-rows.tsx';
import { PieChart } from './pie.tsx';
import { StackedDays } from './stacked-days.tsx';
import { ServiceLines } from './service-lines.tsx';
import type { Rows } from './export.ts';
import { byName } from '../figures/list.ts';
import { rich, t } from '../language/t.ts';

type Asked<Data> = {
  readonly data: Data | undefined;
  readonly error: Error | null;
  readonly isPending: boolean;
  readonly dataUpdatedAt: number;
};

/** Tells the frame of what a panel of records shows. */
function useRecordReport<Data>(query: Asked<Data>, rows: (data: Data) => Rows): void {
  const { data, error, isPending, dataUpdatedAt } = query;
  const stamp = `${dataUpdatedAt} ${isPending} ${error?.message ?? ''}`;
  useReport({ pending: isPending, error, updatedAtMs: dataUpdatedAt, rows: () => (data === undefined ? [] : rows(data)) }, stamp);
}

const Empty = ({ children }: { readonly children: ReactNode }) => <p className="chart-empty">{children}</p>;
/** While nothing is known; what failed says the frame. */
const Reading = ({ query }: { readonly query: Asked<unknown> }) => (query.isPending ? <Empty>{t('Reading …')}</Empty> : null);

const among = (ids: readonly string[], id: string): boolean => ids.length === 0 || ids.includes(id);
const NO_SERVICES = t('No service that you see is watched yet.');
const NO_SLAS = t('Nothing is promised yet, or no contract that you see is named here.');

function useServices(ids: readonly string[]) {
  const query = useQuery(servicesQuery());
  const items = (query.data?.items ?? []).filter(({ id }) => among(ids, id)).sort(byTrouble);
  useRecordReport(query, () => [
    ['service', 'name', 'state', 'since'],
    ...items.map(({ id, name, state, since_at_ms: sinceMs }) => [id, name, state, new Date(sinceMs).toISOString()]),
  ]);
  return { query, items };
}

type SourceProps<From extends 'services' | 'slas' | 'checks' | 'incidents' | 'alerts'> = { readonly source: SourceOf<From> };

export function ServicesCard({ source }: SourceProps<'services'>) {
  const { query, items } = useServices(source.ids);
  if (query.data === undefined) return <Reading query={query} />;
  const worst = worstState(items);
  if (items.length === 0) return <Empty>{NO_SERVICES}</Empty>;
  const here = items.filter(({ state }) => state === worst);
  return (
    <div className="card-body">
      <p className="card-figure">
        <StateMark state={worst} word={STATE_WORDS[worst]} />
      </p>
      <p className="faint small">
        {t('{count} of {all, plural, one {# service} other {# services}}', { count: here.length, all: items.length })}
      </p>
      {worst === 'up' ? null : (
        <p className="small wrap">
          {here
            .slice(0, 6)
            .map(({ name }) => name)
            .join(', ')}
        </p>
      )}
    </div>
  );
}

const STATE_COLOURS = { up: 'var(--up)', degraded: 'var(--degraded)', down: 'var(--down)', unknown: 'var(--unknown)' } as const;

export function ServicesPie({ panel, source }: SourceProps<'services'> & { readonly panel: PanelOf<'pie'> }) {
  const { query, items } = useServices(source.ids);
  if (query.data === undefined) return <Reading query={query} />;
  if (items.length === 0) return <Empty>{NO_SERVICES}</Empty>;
  const parts = (['up', 'degraded', 'down', 'unknown'] as const).map((state) => ({
    name: STATE_WORDS[state],
    value: items.filter((one) => one.state === state).length,
    colour: STATE_COLOURS[state],
  }));
  return <PieChart parts={parts} hollow={panel.hollow} text={String} title={panel.title} />;
}

export function ServicesList({ source }: SourceProps<'services'>) {
  const { query, items } = useServices(source.ids);
  if (query.data === undefined) return <Reading query={query} />;
  return items.length === 0 ? <Empty>{NO_SERVICES}</Empty> : <ServicesTable services={items} brief />;
}

export function ServicesState({ source }: SourceProps<'services'>) {
  const { query, items } = useServices(source.ids);
  if (query.data === undefined) return <Reading query={query} />;
  if (items.length === 0) return <Empty>{NO_SERVICES}</Empty>;
  return (
    <ul className="state-list">
      {items.map(({ id, name, state, since_at_ms: sinceMs }) => (
        <li key={id}>
          <StateMark state={state} />
          <Link to="/services/$id" params={{ id }} className="wrap">
            {name}
          </Link>
          <span className="faint small">{rich('since {at}', { at: <Since atMs={sinceMs} /> })}</span>
        </li>
      ))}
    </ul>
  );
}

export function ServicesTimeline({ source }: SourceProps<'services'>) {
  const { query, items } = useServices(source.ids);
  if (query.data === undefined) return <Reading query={query} />;
  return items.length === 0 ? <Empty>{NO_SERVICES}</Empty> : <ServiceLines services={items} />;
}

function useSlas(ids: readonly string[]) {
  const query = useQuery(slasQuery());
  const items = (query.data?.items ?? []).filter(({ id }) => among(ids, id));
  useRecordReport(query, () => [
    ['contract', 'service', 'status', 'target', 'attained'],
    ...items.map(({ id, service, status, target, attained }) => [id, service, status, target, attained ?? '']),
  ]);
  return { query, items };
}

const WORST_FIRST: readonly SlaView['status'][] = ['breached', 'at_risk', 'unknown', 'met'];
const byVerdict = (a: SlaView, b: SlaView): number => WORST_FIRST.indexOf(a.status) - WORST_FIRST.indexOf(b.status) || byName(a.id, b.id);

export function SlasCard({ source }: SourceProps<'slas'>) {
  const { query, items } = useSlas(source.ids);
  if (query.data === undefined) return <Reading query={query} />;
  const [first] = [...items].sort(byVerdict);
  if (first === undefined) return <Empty>{NO_SLAS}</Empty>;
  const kept = items.filter(({ status }) => status === 'met' || status === 'at_risk').length;
  if (items.length === 1)
    return (
      <div className="card-body">
        <Attained of={first} size="large" />
        <PromisedTarget of={first} />
        <SlaMark status={first.status} young={first.young} />
      </div>
    );
  return (
    <div className="card-body">
      <p className="card-figure">
        <b>{kept}</b> <small>{t('of {count} kept', { count: items.length })}</small>
      </p>
      <p className="small row-wrap">
        <SlaMark status={first.status} young={first.young} />
        <Link to="/slas/$id" params={{ id: first.id }} className="wrap">
          {first.name === '' ? first.id : first.name}
        </Link>
        <Attained of={first} />
      </p>
    </div>
  );
}

export function SlasList({ source }: SourceProps<'slas'>) {
  const { query, items } = useSlas(source.ids);
  if (query.data === undefined) return <Reading query={query} />;
  return items.length === 0 ? <Empty>{NO_SLAS}</Empty> : <SlasTable slas={[...items].sort(byVerdict)} />;
}

/** Burn-downs are long reads: more than a few on one page help nobody. */
const MOST_BURN_DOWNS = 4;

export function SlasBudget({ panel, source }: SourceProps<'slas'> & { readonly panel: PanelOf<'slo_budget'> }) {
  const { query, items } = useSlas(source.ids);
  if (query.data === undefined) return <Reading query={query} />;
  if (items.length === 0) return <Empty>{NO_SLAS}</Empty>;
  const sorted = [...items].sort(byVerdict);
  if (panel.show === 'burn_down') return sorted.slice(0, MOST_BURN_DOWNS).map((sla) => <OneBurnDown key={sla.id} sla={sla} />);
  return (
    <div className="sla-list">
      {sorted.map((sla) => (
        <SlaCard key={sla.id} sla={sla} />
      ))}
    </div>
  );
}

function OneBurnDown({ sla }: { readonly sla: SlaView }) {
  const { data } = useQuery(burnDownQuery(sla));
  return (
    <>
      <Link to="/slas/$id" params={{ id: sla.id }}>
        {sla.name === '' ? sla.id : sla.name}
      </Link>
      {data === undefined ? null : <BurnDown data={data} exhaustsAtMs={sla.exhausts_at_ms} />}
    </>
  );
}

export function ChecksList({ source }: SourceProps<'checks'>) {
  const query = useQuery(checksQuery());
  const items = (query.data?.items ?? []).filter(({ service }) => among(source.services, service));
  useRecordReport(query, () => [
    ['check', 'service', 'kind', 'target', 'state'],
    ...items.map(({ id, service, kind, target, state }) => [id, service, kind, target, state]),
  ]);
  if (query.data === undefined) return <Reading query={query} />;
  return items.length === 0 ? <Empty>{t('No check runs yet.')}</Empty> : <ChecksTable checks={items} withService />;
}

function useIncidents(status: 'open' | 'all') {
  const query = useQuery(incidentsQuery(status));
  const items = query.data?.items ?? [];
  useRecordReport(query, () => [
    ['number', 'title', 'state', 'severity', 'since'],
    ...items.map((one) => [one.number, one.title, one.state, one.severity, new Date(one.started_at_ms).toISOString()]),
  ]);
  return { query, items };
}

export function IncidentsList({ source }: SourceProps<'incidents'>) {
  const { query, items } = useIncidents(source.status);
  if (query.data === undefined) return <Reading query={query} />;
  return items.length === 0 ? (
    <Empty>{source.status === 'open' ? t('No incident is open.') : t('There were no incidents.')}</Empty>
  ) : (
    <IncidentRows incidents={items} />
  );
}

export function IncidentsCard({ source }: SourceProps<'incidents'>) {
  const { query, items } = useIncidents(source.status);
  if (query.data === undefined) return <Reading query={query} />;
  const unseen = items.filter(({ state }) => state === 'open').length;
  return (
    <div className="card-body">
      <p className="card-figure">
        <b>{items.length}</b> <small>{source.status === 'open' ? t('open||many') : t('in all')}</small>
      </p>
      <p className="small">
        <Link to="/incidents">{unseen === 0 ? t('All are acknowledged') : t('{count} not acknowledged', { count: unseen })}</Link>
      </p>
    </div>
  );
}

/** A panel's choice of alerts, as the API asks for it. */
export function questionOf({ status, severity, matchers }: SourceOf<'alerts'>): AlertQuestion {
  const parsed = matchers === '' ? undefined : parseMatchers(matchers);
  const label = parsed?.ok === true ? parsed.value.map(({ name, op, value }) => `${name}${op}${JSON.stringify(value)}`) : undefined;
  return { status, severity: severity.length === 0 ? undefined : severity, label };
}

function useAlertCounts(source: SourceOf<'alerts'>) {
  const query = useQuery(alertCountsQuery(questionOf(source)));
  const bySeverity = (['emergency', 'critical', 'warning', 'info'] as const).map((name) => ({
    name,
    value: Object.values(query.data?.by_severity[name] ?? {}).reduce((sum, count) => sum + count, 0),
  }));
  useRecordReport(query, () => [['severity', 'alerts'], ...bySeverity.map(({ name, value }) => [name, value])]);
  return { query, bySeverity };
}

export function AlertsCard({ source }: SourceProps<'alerts'>) {
  const { query, bySeverity } = useAlertCounts(source);
  if (query.data === undefined) return <Reading query={query} />;
  const words = bySeverity.filter(({ value }) => value > 0).map(({ name, value }) => `${value} ${name}`);
  return (
    <div className="card-body">
      <p className="card-figure">
        <b>{query.data.total}</b> <small>{source.status === 'open' ? t('open||many') : t('in all')}</small>
      </p>
      <p className="small">
        <Link to="/alerts-dashboard">{words.length === 0 ? t('Nothing asks for anybody') : words.join(', ')}</Link>
      </p>
    </div>
  );
}

const SEVERITY_COLOURS = { emergency: 'var(--ink)', critical: 'var(--down)', warning: 'var(--degraded)', info: 'var(--unknown)' } as const;

export function AlertsPie({ panel, source }: SourceProps<'alerts'> & { readonly panel: PanelOf<'pie'> }) {
  const { query, bySeverity } = useAlertCounts(source);
  if (query.data === undefined) return <Reading query={query} />;
  if (query.data.total === 0) return <Empty>{t('No alert is open.')}</Empty>;
  const parts = bySeverity.map((one) => ({ ...one, colour: SEVERITY_COLOURS[one.name] }));
  return <PieChart parts={parts} hollow={panel.hollow} text={String} title={panel.title} />;
}

export function AlertsList({ source, limit }: SourceProps<'alerts'> & { readonly limit: number }) {
  const query = useQuery(alertsOfGroupQuery(questionOf(source)));
  const items = (query.data?.items ?? []).slice(0, limit);
  useRecordReport(query, () => [
    ['alert', 'severity', 'state', 'service', 'since'],
    ...items.map((one) => [one.alertname, one.severity, one.state, one.service ?? '', new Date(one.starts_at_ms).toISOString()]),
  ]);
  if (query.data === undefined) return <Reading query={query} />;
  return items.length === 0 ? (
    <Empty>{source.status === 'open' ? t('No alert is open.') : t('There were no alerts.')}</Empty>
  ) : (
    <AlertList alerts={items} />
  );
}

export function AlertsBar({ days }: { readonly days: number }) {
  const query = useQuery(alertStatisticsQuery(days, undefined));
  useRecordReport(query, ({ by_time: times }) => [
    ['from', 'info', 'warning', 'critical', 'emergency'],
    ...times.map((one) => [new Date(one.at_ms).toISOString(), one.info, one.warning, one.critical, one.emergency]),
  ]);
  if (query.data === undefined) return <Reading query={query} />;
  return query.data.fired === 0 ? (
    <Empty>{t('No alert fired within {days, plural, one {# day} other {# days}}.', { days })}</Empty>
  ) : (
    <StackedDays statistics={query.data} />
  );
}
