import { NativeSelect, SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type AlertStatisticsWire, alertStatisticsQuery } from '../api/alerts.ts';
import { servicesQuery } from '../api/queries.ts';
import type { Severity } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { EmptyState, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { tickText } from '../figures/instant.ts';
import { lengthText } from '../figures/length.ts';
import { t } from '../language/t.ts';
import type { AlertSearch } from '../shell/search.ts';
import { phrase } from '../states/words.ts';
import { plainText } from './plain-text.ts';

type Props = { readonly search: AlertSearch; readonly onSearch: (search: AlertSearch) => void };
type RuleWire = AlertStatisticsWire['rules'][number];

const DAYS = [
  { value: '1', label: '24 h' },
  { value: '7', label: t('7 days') },
  { value: '30', label: t('30 days') },
  { value: '90', label: t('90 days') },
];
const DEFAULT_DAYS = 7;
const STACK: readonly Severity[] = ['emergency', 'critical', 'warning', 'info'];
const MAX_NAME_CHARS = 80;
/** Rules that are listed; the quiet ones behind them need nothing. */
const SHOWN = 50;
const SHOWN_PLACES = 8;

/** How many alerts there were, what became of them, and what would make fewer of them useless. */
export function AlertStatisticsView({ search, onSearch }: Props) {
  const { days = DEFAULT_DAYS, service } = search;
  const services = useQuery(servicesQuery());
  const found = useQuery(alertStatisticsQuery(days, service));
  const names = (services.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name }));
  const { service: _service, ...everywhere } = search;
  return (
    <>
      <div className="filters no-print">
        <SegmentedControl
          size="xs"
          aria-label={t('How far back')}
          data={DAYS}
          value={String(days)}
          onChange={(value) => onSearch({ ...search, days: Number(value) })}
        />
        {names.length === 0 ? null : (
          <NativeSelect
            size="xs"
            aria-label={t('Service')}
            data={[{ value: '', label: t('Every service') }, ...names]}
            value={service ?? ''}
            onChange={({ currentTarget: { value } }) => onSearch(value === '' ? everywhere : { ...search, service: value })}
          />
        )}
      </div>
      <Waiting query={found} what={t('statistics')} />
      {found.data === undefined ? null : found.data.fired === 0 ? (
        <EmptyState>
          {t('No alert fired in this time. What fires is counted here, with how long people took and which rules make noise.')}
        </EmptyState>
      ) : (
        <Found found={found.data} />
      )}
    </>
  );
}

function Found({ found }: { readonly found: AlertStatisticsWire }) {
  return (
    <>
      <Figures found={found} />
      <Section title={t('When they fired')} aside={found.step_ms === 3_600_000 ? t('one bar an hour, UTC') : t('one bar a day, UTC')}>
        <OverTime found={found} />
      </Section>
      <div className="columns-even">
        <Section title={t('Of which severity')}>
          <Bars
            items={STACK.map((severity) => ({ name: phrase(severity), count: found.by_severity[severity], className: `bar-${severity}` }))}
          />
        </Section>
        <Section title={t('From where')}>
          <Bars items={found.by_source.map(({ source, fired }) => ({ name: phrase(source), count: fired, className: 'bar-plain' }))} />
        </Section>
        <Section title={t('About which service')}>
          <Bars
            items={found.by_service.slice(0, SHOWN_PLACES).map(({ service, fired }) => ({
              name: service === '' ? t('none') : plainText(service, MAX_NAME_CHARS),
              count: fired,
              className: 'bar-plain',
            }))}
          />
        </Section>
      </div>
      <Suggestions rules={found.rules} />
      <Section
        title={t('Rules by noise')}
        aside={found.rules.length > SHOWN ? t('{shown} of {count}', { shown: SHOWN, count: found.rules.length }) : undefined}
      >
        <div className="panel">
          <DataTable caption={t('Rules by noise')} columns={COLUMNS} rows={found.rules.slice(0, SHOWN)} rowKey={({ rule }) => rule} />
        </div>
        {found.complete ? null : <p className="faint">{t('There were more alerts than are counted; these are the latest.')}</p>}
      </Section>
    </>
  );
}

const percent = (ratio: number): string => t('{figure} %', { figure: Math.floor(ratio * 1000) / 10 });
const length = (lengthMs: number | null): string => (lengthMs === null ? 'unknown' : lengthText(lengthMs - (lengthMs % 1000)));

function Figures({ found }: { readonly found: AlertStatisticsWire }) {
  const { relevance, relevance_target: target } = found;
  const figures = [
    { name: t('Fired'), value: String(found.fired), detail: t('{count} acted upon', { count: found.acted_upon }) },
    {
      name: t('Relevance'),
      value: relevance === null ? 'unknown' : percent(relevance),
      detail:
        relevance !== null && relevance < target
          ? t('below the target of {percent}', { percent: percent(target) })
          : t('target {percent}', { percent: percent(target) }),
    },
    { name: t('Until somebody took it'), value: length(found.mtta_ms), detail: t('mean, of those acknowledged') },
    { name: t('Until it ended'), value: length(found.mttr_ms), detail: t('mean, of those that ended') },
  ];
  return (
    <div className="panel uptime">
      {figures.map(({ name, value, detail }) => (
        <div key={name}>
          <div className="faint">{name}</div>
          <div className="host-figure">{value}</div>
          <div className="host-detail">{detail}</div>
        </div>
      ))}
    </div>
  );
}

const WIDTH = 900;
const HEIGHT = 120;

function OverTime({ found: { by_time: steps, step_ms: stepMs } }: { readonly found: AlertStatisticsWire }) {
  const totals = steps.map((step) => STACK.reduce((sum, severity) => sum + step[severity], 0));
  const most = Math.max(1, ...totals);
  const wide = WIDTH / Math.max(1, steps.length);
  const first = steps[0]?.at_ms ?? 0;
  const last = steps.at(-1)?.at_ms ?? 0;
  const words = t('{alerts} alerts over {bars} bars, {most} in the highest.', {
    alerts: totals.reduce((sum, count) => sum + count, 0),
    bars: steps.length,
    most,
  });
  return (
    <figure className="bars-over-time">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={words}>
        {steps.map((step, index) => {
          let top = HEIGHT;
          return (
            <g key={step.at_ms}>
              <title>{`${tickText(step.at_ms, stepMs)}: ${totals[index] ?? 0}`}</title>
              <rect x={index * wide} width={wide} height={HEIGHT} fill="transparent" />
              {STACK.map((severity) => {
                const high = (step[severity] / most) * HEIGHT;
                top -= high;
                return high === 0 ? null : (
                  <rect
                    key={severity}
                    x={index * wide + wide * 0.1}
                    y={top}
                    width={wide * 0.8}
                    height={high}
                    className={`bar-${severity}`}
                  />
                );
              })}
            </g>
          );
        })}
      </svg>
      <figcaption className="faint">
        <span>{tickText(first, 86_400_000)}</span>
        <span>{t('highest {most}', { most })}</span>
        <span>{tickText(last, 86_400_000)}</span>
      </figcaption>
    </figure>
  );
}

type Bar = { readonly name: string; readonly count: number; readonly className: string };

function Bars({ items }: { readonly items: readonly Bar[] }) {
  const most = Math.max(1, ...items.map(({ count }) => count));
  return (
    <ul className="bars">
      {items.map(({ name, count, className }) => (
        <li key={name}>
          <span className="ellipsis">{name}</span>
          <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
            <rect width={(count / most) * 100} height="8" className={className} />
          </svg>
          <span className="bars-count">{count}</span>
        </li>
      ))}
    </ul>
  );
}

function Suggestions({ rules }: { readonly rules: readonly RuleWire[] }) {
  const found = rules.flatMap(({ rule, alertname, suggestions }) => suggestions.map((one) => ({ rule, alertname, ...one })));
  return (
    <Section title={t('What would quieten them')}>
      {found.length === 0 ? (
        <p className="faint">
          {t('Nothing to suggest: rules get one when they fired five times or more and people acted upon less than 95 %.')}
        </p>
      ) : (
        <ul className="plain-list">
          {found.map(({ rule, alertname, kind, text }) => (
            <li key={`${rule} ${kind}`}>
              <Link to="/alerts-dashboard" search={{ source: rule, status: 'all' }}>
                {plainText(alertname, MAX_NAME_CHARS)}
              </Link>
              {`: ${plainText(text, 500)}`}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

const COLUMNS: readonly Column<RuleWire>[] = [
  {
    id: 'rule',
    header: t('Rule'),
    cell: ({ rule, alertname }) => (
      <Link to="/alerts-dashboard" search={{ source: rule, status: 'all' }} className="row-name" title={rule}>
        {plainText(alertname, MAX_NAME_CHARS)}
      </Link>
    ),
  },
  { id: 'fired', header: t('Fired'), label: t('fired'), numeric: true, cell: ({ fired }) => fired },
  {
    id: 'week',
    header: t('A week'),
    label: t('a week'),
    numeric: true,
    cell: ({ per_week: week }) => (week < 10 ? week.toFixed(1) : Math.round(week)),
  },
  {
    id: 'acted',
    header: t('Acted upon'),
    label: t('acted upon'),
    numeric: true,
    cell: ({ acted_upon: acted, relevance }) => `${acted} (${percent(relevance)})`,
  },
  { id: 'short', header: t('Under 5 min'), label: t('under 5 min'), numeric: true, cell: ({ short_lived: short }) => short },
  { id: 'back', header: t('Came back'), label: t('came back within 10 min'), numeric: true, cell: ({ came_back: back }) => back },
  {
    id: 'length',
    header: t('Lasted (median)'),
    label: t('lasted'),
    numeric: true,
    cell: ({ median_length_ms: lasted }) => (lasted === null ? '' : length(lasted)),
  },
  {
    id: 'mtta',
    header: t('Taken after'),
    label: t('taken after'),
    numeric: true,
    cell: ({ mtta_ms: taken }) => (taken === null ? 'never' : length(taken)),
  },
];
