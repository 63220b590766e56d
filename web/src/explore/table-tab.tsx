import { useQuery } from '@tanstack/react-query';
import { type ValueRow, valueOf, valuesAt } from '../api/explore.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { Waiting } from '../components/notices.tsx';
import { saveFile } from '../components/save-file.ts';
import { quantityText } from '../figures/quantity.ts';
import { Cost } from './cost.tsx';
import { jsonText, labelNames, rowsCsv } from './export.ts';
import { SaveButtons } from './save-buttons.tsx';
import type { UnitName } from './search.ts';
import { WhyEmpty } from './why-empty.tsx';
import { rich, t } from '../language/t.ts';

type Props = { readonly query: string; readonly unit: UnitName; readonly atMs: number; readonly onRun: (query: string) => void };

/** Labels that get a column of their own; the others stand together. */
const MOST_COLUMNS = 8;

/** The values at the end of the range, one row each. */
export function TableTab({ query, unit, atMs, onRun }: Props) {
  const found = useQuery(valuesAt(query, atMs));
  if (found.error !== null) return <Waiting query={{ ...found, data: undefined }} what={t('the values')} />;
  if (found.data === undefined) return <Waiting query={found} what={t('the values')} />;
  const { rows, kind } = found.data;
  if (rows.length === 0) return <WhyEmpty query={query} atMs={atMs} onRun={onRun} />;
  const numbered = rows.map((row, index) => ({ ...row, index }));
  return (
    <>
      <div className="explore-table" role="region" aria-label={t('Values')} tabIndex={0}>
        <DataTable
          caption={t('Values of the query')}
          columns={columnsOf(rows, kind === 'matrix', unit)}
          rows={numbered}
          rowKey={({ index }) => String(index)}
        />
      </div>
      <div className="row-wrap explore-foot">
        <div>
          <Cost answer={found.data} what={t('{count, plural, one {# row} other {# rows}}', { count: rows.length })} />
          {kind === 'matrix' ? null : <p className="faint">{rich('At {at}', { at: <Instant atMs={atMs} /> })}</p>}
        </div>
        <SaveButtons
          onCsv={() => saveFile(new Blob([rowsCsv(rows)], { type: 'text/csv' }), 'query.csv')}
          onJson={() => saveFile(new Blob([jsonText(query, { rows })], { type: 'application/json' }), 'query.json')}
        />
      </div>
    </>
  );
}

function columnsOf(rows: readonly ValueRow[], withTime: boolean, unit: UnitName): readonly Column<ValueRow>[] {
  const names = labelNames(rows);
  const own = names.slice(0, MOST_COLUMNS);
  const rest = names.slice(MOST_COLUMNS);
  const others = ({ labels }: ValueRow): string =>
    rest
      .filter((name) => labels[name] !== undefined)
      .map((name) => `${name}=${labels[name] ?? ''}`)
      .join(' ');
  return [
    ...own.map(
      (name): Column<ValueRow> => ({
        id: name,
        header: name === '__name__' ? 'metric' : name,
        label: name,
        cell: ({ labels }) => <span className="wrap-anywhere">{labels[name] ?? ''}</span>,
      }),
    ),
    ...(rest.length === 0 ? [] : [{ id: ' rest', header: t('other labels'), label: t('other labels'), cell: others }]),
    ...(withTime
      ? [{ id: ' time', header: t('time'), label: t('time'), cell: ({ atMs }: ValueRow) => <Instant atMs={atMs} relative={false} /> }]
      : []),
    { id: ' value', header: t('value'), label: t('value'), numeric: true, cell: ({ value }) => <Value value={value} unit={unit} /> },
  ];
}

/** In its unit where it is a number, with all its digits at hand. */
function Value({ value, unit }: { readonly value: string; readonly unit: UnitName }) {
  const number = valueOf(value);
  if (value === '' || !Number.isFinite(number)) return <span className="mono">{value}</span>;
  return (
    <span className="mono" title={value}>
      {unit === 'number' ? value : quantityText(number, unit)}
    </span>
  );
}
