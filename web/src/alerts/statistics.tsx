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
import type { AlertSearch } from '../shell/search.ts';
import { phrase } from '../states/words.ts';
import { plainText } from './plain-text.ts';

type Props = { readonly search: AlertSearch; readonly onSearch: (search: AlertSearch) => void };
type RuleWire = AlertStatisticsWire['rules'][number];

const DAYS = [
  { value: '1', label: '24 h' },
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
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
          aria-label="How far back"
          data={DAYS}
          value={String(days)}
          onChange={(value) => onSearch({ ...search, days: Number(value) })}
        />
        {names.length === 0 ? null : (
          <NativeSelect
            size="xs"
            aria-label="Service"
            data={[{ value: '', label: 'Every service' }, ...names]}
            value={service ?? ''}
            onChange={({ currentTarget: { value } }) => onSearch(value === '' ? everywhere : { ...search, service: value })}
          />
        )}
      </div>
      <Waiting query={found} what="statistics" />
      {found.data === undefined ? null : found.data.fired === 0 ? (
        <EmptyState>
          No alert fired in this time. What fires is counted here, with how long people took and which rules make noise.
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
      <Section title="When they fired" aside={`one bar ${found.step_ms === 3_600_000 ? 'an hour' : 'a day'}, UTC`}>
        <OverTime found={found} />
      </Section>
      <div className="columns-even">
        <Section title="Of which severity">
          <Bars
            items={STACK.map((severity) => ({ name: phrase(severity), count: found.by_severity[severity], className: `bar-${severity}` }))}
          />
        </Section>
        <Section title="From where">
          <Bars items={found.by_source.map(({ source, fired }) => ({ name: phrase(source), count: fired, className: 'bar-plain' }))} />
        </Section>
        <Section title="About which service">
          <Bars
            items={found.by_service.slice(0, SHOWN_PLACES).map(({ service, fired }) => ({
              name: service === '' ? 'none' : plainText(service, MAX_NAME_CHARS),
              count: fired,
              className: 'bar-plain',
            }))}
          />
        </Section>
      </div>
      <Suggestions rules={found.rules} />
      <Section title="Rules by noise" aside={found.rules.length > SHOWN ? `${SHOWN} of ${found.rules.length}` : undefined}>
        <div className="panel">
          <DataTable caption="Rules by noise" columns={COLUMNS} rows={found.rules.slice(0, SHOWN)} rowKey={({ rule }) => rule} />
        </div>
        {found.complete ? null : <p className="faint">There were more alerts than are counted; these are the latest.</p>}
      </Section>
    </>
  );
}

const percent = (ratio: number): string => `${Math.floor(ratio * 1000) / 10} %`;
const length = (lengthMs: number | null): string => (lengthMs === null ? 'unknown' : lengthText(lengthMs - (lengthMs % 1000)));

function Figures({ found }: { readonly found: AlertStatisticsWire }) {
  const { relevance, relevance_target: target } = found;
  const figures = [
    { name: 'Fired', value: String(found.fired), detail: `${found.acted_upon} acted upon` },
    {
      name: 'Relevance',
      value: relevance === null ? 'unknown' : percent(relevance),
      detail: relevance !== null && relevance < target ? `below the target of ${percent(target)}` : `target ${percent(target)}`,
    },
    { name: 'Until somebody took it', value: length(found.mtta_ms), detail: 'mean, of those acknowledged' },
    { name: 'Until it ended', value: length(found.mttr_ms), detail: 'mean, of those that ended' },
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
  const words = `${totals.reduce((sum, count) => sum + count, 0)} alerts over ${steps.length} bars, ${most} in the highest.`;
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
        <span>{`highest ${most}`}</span>
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
    <Section title="What would quieten them">
      {found.length === 0 ? (
        <p className="faint">Nothing to suggest: rules get one when they fired five times or more and people acted upon less than 95 %.</p>
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
    header: 'Rule',
    cell: ({ rule, alertname }) => (
      <Link to="/alerts-dashboard" search={{ source: rule, status: 'all' }} className="row-name" title={rule}>
        {plainText(alertname, MAX_NAME_CHARS)}
      </Link>
    ),
  },
  { id: 'fired', header: 'Fired', label: 'fired', numeric: true, cell: ({ fired }) => fired },
  {
    id: 'week',
    header: 'A week',
    label: 'a week',
    numeric: true,
    cell: ({ per_week: week }) => (week < 10 ? week.toFixed(1) : Math.round(week)),
  },
  {
    id: 'acted',
    header: 'Acted upon',
    label: 'acted upon',
    numeric: true,
    cell: ({ acted_upon: acted, relevance }) => `${acted} (${percent(relevance)})`,
  },
  { id: 'short', header: 'Under 5 min', label: 'under 5 min', numeric: true, cell: ({ short_lived: short }) => short },
  { id: 'back', header: 'Came back', label: 'came back within 10 min', numeric: true, cell: ({ came_back: back }) => back },
  {
    id: 'length',
    header: 'Lasted (median)',
    label: 'lasted',
    numeric: true,
    cell: ({ median_length_ms: lasted }) => (lasted === null ? '' : length(lasted)),
  },
  {
    id: 'mtta',
    header: 'Taken after',
    label: 'taken after',
    numeric: true,
    cell: ({ mtta_ms: taken }) => (taken === null ? 'never' : length(taken)),
  },
];
