import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { type CapacityRow, type CapacityTable, capacityTableQuery } from '../api/analytics.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { FilterInput } from '../components/filter-input.tsx';
import { Ago } from '../components/instant.tsx';
import { matchesFilter } from '../components/matches-filter.ts';
import { EmptyState, Waiting } from '../components/notices.tsx';
import { lengthText } from '../figures/length.ts';
import { fromServer } from '../language/server-text.ts';
import { rich, t } from '../language/t.ts';
import { SCALE_TICKS, STANDING_WORDS, byUrgency, fullIn, paceText, placeOf, standingOf } from './capacity-words.ts';
import { selectorText } from './completion.ts';
import { linePath, scalesOf, valuesOf } from './scales.ts';
import { type AnalyticsSearch, STATES, type SearchChange } from './search.ts';
import { unitText } from './units.ts';

type Props = { readonly search: AnalyticsSearch; readonly onSearch: (change: SearchChange) => void };

const WATCH = `analytics:
  watch:
    - { name: orders_disk, expr: 'disk_used_bytes{disk="orders"}', unit: bytes, limit: 500e9 }`;

/** What fills up and when, the most urgent first. */
export function CapacityView({ search, onSearch }: Props) {
  const query = useQuery(capacityTableQuery());
  const { c = '', state } = search;
  return (
    <>
      <div className="filters no-print">
        <FilterInput value={c} onChange={(value) => onSearch({ c: value === '' ? undefined : value })} what={t('resources')} />
        <NativeSelect
          size="xs"
          aria-label={t('Standing')}
          data={[{ value: '', label: t('Every standing') }, ...STATES.map((value) => ({ value, label: STANDING_WORDS[value] }))]}
          value={state ?? ''}
          onChange={({ currentTarget: { value } }) => onSearch({ state: STATES.find((one) => one === value) })}
        />
        {query.data === undefined ? null : (
          <span className="faint">
            {rich('{length} of history, reckoned {ago}', {
              length: lengthText(query.data.window_ms),
              ago: <Ago atMs={query.data.generated_at_ms} />,
            })}
          </span>
        )}
      </div>
      <Waiting query={query} what={t('capacity')} />
      {query.data === undefined ? null : <Table table={query.data} filter={c} state={state} />}
    </>
  );
}

type TableProps = {
  readonly table: CapacityTable;
  readonly filter: string;
  readonly state: AnalyticsSearch['state'];
  readonly most?: number;
};

export function Table({ table, filter, state, most }: TableProps) {
  const rows = useMemo(
    () =>
      table.items
        .filter(
          (row) => (state === undefined || standingOf(row) === state) && matchesFilter(filter, [row.name, ...Object.values(row.labels)]),
        )
        .sort(byUrgency),
    [table, filter, state],
  );
  if (table.items.length === 0) {
    return (
      <EmptyState command={WATCH}>
        {t(
          'Nothing that fills up is measured here yet: this host’s disks and memory appear after their first hours. Anything else with a limit is a line of the configuration.',
        )}
      </EmptyState>
    );
  }
  if (rows.length === 0) return <p className="empty empty-quiet">{t('No resource matches the filter.')}</p>;
  return (
    <>
      <div className="panel capacity">
        <DataTable caption={t('Capacity')} columns={COLUMNS} rows={most === undefined ? rows : rows.slice(0, most)} rowKey={keyOf} />
      </div>
      {most !== undefined && rows.length > most ? (
        <p>
          <Link to="/analytics" search={{ view: 'capacity' }}>
            {t('All {rows} resources', { rows: rows.length })}
          </Link>
        </p>
      ) : null}
      {table.notes.map((note) => (
        <p key={note} className="faint">{`${fromServer(note).charAt(0).toUpperCase()}${fromServer(note).slice(1)}.`}</p>
      ))}
    </>
  );
}

const keyOf = (row: CapacityRow): string => selectorText({ metric: `${row.name} ${row.expr}`, labels: row.labels });

function labelsText(labels: CapacityRow['labels']): string {
  return Object.entries(labels)
    .filter(([name]) => name !== '__name__')
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

const COLUMNS: readonly Column<CapacityRow>[] = [
  {
    id: 'name',
    header: t('Resource'),
    cell: (row) => (
      <>
        <Link to="/analytics" search={{ view: 'series', q: row.expr }} className="row-name">
          {fromServer(row.name)}
        </Link>
        <div className="faint small labels">{labelsText(row.labels)}</div>
      </>
    ),
  },
  {
    id: 'now',
    header: t('Now'),
    label: t('Now'),
    numeric: true,
    cell: ({ value, limit, unit, side }) => (
      <>
        {value === null ? '–' : unitText(unit)(value)}
        {limit === null ? null : (
          <div className="faint small">
            {side === 'above'
              ? t('of {limit}', { limit: unitText(unit)(limit) })
              : t('not below {limit}', { limit: unitText(unit)(limit) })}
          </div>
        )}
      </>
    ),
  },
  { id: 'history', header: t('History'), label: t('History'), cell: (row) => <Spark row={row} /> },
  {
    id: 'pace',
    header: t('Pace'),
    label: t('Pace'),
    numeric: true,
    cell: (row) => (
      <>
        {paceText(row, unitText(row.unit))}
        <div className="faint small">{fromServer(row.confidence?.words ?? '')}</div>
      </>
    ),
  },
  {
    id: 'full',
    header: t('Full'),
    label: t('Full'),
    cell: (row) => {
      const { when, between } = fullIn(row);
      return row.days === null ? (
        <div className="soft small full">{fromServer(row.reason)}</div>
      ) : (
        <div className="full">
          <strong>{when}</strong>
          <span className="faint small">{between === '' ? '' : ` ${between}`}</span>
          <When row={row} />
        </div>
      );
    },
  },
  { id: 'advice', header: t('Advice'), label: t('Advice'), cell: (row) => <Advice row={row} /> },
];

const SPARK = { width: 120, height: 32, left: 0, bottom: 2 };

/** The history that it was found from, with the limit where that is near. */
function Spark({ row: { points, limit } }: { readonly row: CapacityRow }) {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || first === last) return <span className="faint">–</span>;
  const values = valuesOf({ lines: [points], bands: [], ...(limit === null ? {} : { limit }) }, 2);
  const scales = scalesOf({ fromMs: first[0], toMs: last[0], ...values }, SPARK);
  const y = limit === null ? undefined : scales.y(limit);
  return (
    <svg width={SPARK.width} height={SPARK.height} aria-hidden="true" className="spark">
      {y === undefined || y < 0 || y > SPARK.height ? null : <line x1="0" x2={SPARK.width} y1={y} y2={y} className="chart-limit" />}
      <path d={linePath(points, scales, Number.POSITIVE_INFINITY)} className="ev-line ev-value" />
    </svg>
  );
}

const WHEN_PX = 200;

/** The interval on a scale from an hour to two years, the same in every line; open where it may never come. */
function When({ row: { days, days_lower: lower, days_upper: upper } }: { readonly row: CapacityRow }) {
  if (days === null) return null;
  const [from, at] = [placeOf(lower ?? days) * WHEN_PX, placeOf(days) * WHEN_PX];
  const to = upper === null ? WHEN_PX : placeOf(upper) * WHEN_PX;
  return (
    <svg viewBox={`0 0 ${WHEN_PX} 26`} className="when" aria-hidden="true">
      <line x1="0" x2={WHEN_PX} y1="7" y2="7" className="when-axis" />
      {SCALE_TICKS.map(({ days: tick, name }) => (
        <g key={name}>
          <line x1={placeOf(tick) * WHEN_PX} x2={placeOf(tick) * WHEN_PX} y1="4" y2="10" className="when-axis" />
          <text x={placeOf(tick) * WHEN_PX} y="23" textAnchor="middle" className="chart-tick">
            {name}
          </text>
        </g>
      ))}
      <rect
        x={from}
        width={Math.max(2, to - from)}
        y="3.5"
        height="7"
        rx={upper === null ? 0 : 3}
        className={upper === null ? 'when-open' : 'when-range'}
      />
      <circle cx={at} cy="7" r="4" className="when-dot" />
    </svg>
  );
}

const SIZES = { enough: t('Right size'), too_small: t('Too small'), too_big: t('Too big') } as const;

function Advice({ row }: { readonly row: CapacityRow }) {
  const { leak, right_size: size, unit } = row;
  const text = unitText(unit);
  return (
    <div className="advice">
      {leak?.state === 'leaks' ? (
        <div>
          <span className="kind">{t('Leaks')}</span>
          <span className="soft small">{` ${fromServer(leak.reason)}`}</span>
        </div>
      ) : null}
      {size === null ? null : (
        <div>
          <strong>{SIZES[size.advice]}</strong>
          {size.advice === 'enough' ? null : ` ${t('{amount} would do', { amount: text(size.suggested) })}`}
          <div className="soft small">{fromServer(size.reason)}</div>
        </div>
      )}
      {leak?.state !== 'leaks' && size === null ? <span className="faint">–</span> : null}
    </div>
  );
}
