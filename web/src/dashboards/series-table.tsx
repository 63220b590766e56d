import type { PanelOf } from '../api/dashboards.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { StateShape } from '../states/state-mark.tsx';
import { type NamedSeries, crossed, reduced } from '@nines/maths/dashboards/figures.ts';
import { limitText, unitText } from './figure-text.ts';
import { differingLabels } from '@nines/maths/dashboards/differing-labels.ts';
import { byName } from '../figures/list.ts';
import { t } from '../language/t.ts';

type Row = { readonly key: string; readonly labels: Readonly<Record<string, string>>; readonly values: ReadonlyMap<string, number> };
type Props = { readonly panel: PanelOf<'table'>; readonly series: readonly NamedSeries[] };

/** Of a table that nobody filters more is not read. */
const MOST_ROWS = 200;

/** One row for each set of labels, one column for each query: what several queries say of one thing stands in one line. */
export function SeriesTable({ panel, series }: Props) {
  const { unit, decimals, thresholds } = panel;
  const queries = [...new Set(series.map(({ query }) => query))];
  const written = panel.source.from === 'promql' ? panel.source.queries : [];
  const headOf = (query: number): string => {
    const legend = written[query]?.legend ?? '';
    return legend !== '' && !legend.includes('{{')
      ? legend
      : queries.length === 1
        ? t('Value')
        : t('Query {number}', { number: query + 1 });
  };
  const bare = series.map(({ labels: { __name__: _name, ...labels } }) => labels);
  const differing = differingLabels(bare);
  const names = (panel.columns.length > 0 ? panel.columns : differing.length > 0 ? differing : Object.keys(bare[0] ?? {})).filter(
    (name) => !panel.hide.includes(name),
  );
  const rows = sorted(joined(series, names, { headOf, how: panel.reduce }), panel.sort).slice(0, MOST_ROWS);
  const columns: readonly Column<Row>[] = [
    ...names.map((name, at) => ({
      id: name,
      header: name,
      ...(at === 0 ? {} : { label: name }),
      cell: ({ labels }: Row) => <span className={at === 0 ? 'row-name' : 'wrap'}>{labels[name] ?? ''}</span>,
    })),
    ...queries.map(headOf).map((head) => ({
      id: `value ${head}`,
      header: head,
      label: head,
      numeric: true,
      cell: ({ values }: Row) => {
        const value = values.get(head);
        if (value === undefined) return '–';
        const limit = crossed(value, thresholds);
        if (limit === undefined) return unitText(value, unit, decimals);
        return (
          <span className="mark" title={limitText(limit, unit)}>
            <StateShape state={limit.severity === 'critical' ? 'down' : 'degraded'} />
            {unitText(value, unit, decimals)}
          </span>
        );
      },
    })),
  ];
  return <DataTable caption={panel.title} columns={columns} rows={rows} rowKey={({ key }) => key} />;
}

type How = { readonly headOf: (query: number) => string; readonly how: PanelOf<'table'>['reduce'] };

function joined(series: readonly NamedSeries[], names: readonly string[], { headOf, how }: How): readonly Row[] {
  const rows = new Map<string, { readonly labels: Readonly<Record<string, string>>; readonly values: Map<string, number> }>();
  for (const { labels, points, query } of series) {
    const value = reduced(points, how);
    if (value === undefined) continue;
    const key = JSON.stringify(names.map((name) => labels[name] ?? ''));
    const row = rows.get(key) ?? { labels, values: new Map<string, number>() };
    row.values.set(headOf(query), value);
    rows.set(key, row);
  }
  return [...rows].map(([key, row]) => ({ key, ...row }));
}

function sorted(rows: readonly Row[], sort: PanelOf<'table'>['sort']): readonly Row[] {
  const [first] = rows[0]?.values.keys() ?? [];
  const by = sort?.by ?? first;
  if (by === undefined) return rows;
  const sign = (sort?.down ?? true) ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [one, other] = [a.values.get(by), b.values.get(by)];
    if (one !== undefined && other !== undefined) return sign * (one - other);
    return sign * byName(a.labels[by] ?? '', b.labels[by] ?? '');
  });
}
