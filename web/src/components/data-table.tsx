import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type MouseEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';

export type Column<Row> = {
  readonly id: string;
  readonly header: ReactNode;
  /** Label of the cell where the table becomes rows on a narrow screen; none for the first column and for actions. */
  readonly label?: string;
  /** Right-aligned figures. */
  readonly numeric?: boolean;
  readonly cell: (row: Row, index: number) => ReactNode;
};

type Props<Row> = {
  /** Read to those who cannot see the table. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  /** Those of a long list that were not read yet are undefined. */
  readonly rows: readonly (Row | undefined)[];
  readonly rowKey: (row: Row) => string;
  readonly rowClass?: (row: Row) => string;
  readonly onRowKey?: (row: Row, index: number, event: KeyboardEvent) => void;
  /** A click on the row's empty space, not on what stands in it. */
  readonly onRowClick?: (row: Row, index: number, event: MouseEvent) => void;
  /** Tells which rows are in sight, those around them included; it must stay the same function. */
  readonly onSight?: (first: number, last: number) => void;
};

/** Above this only the rows in sight are in the page: ten thousand rows open in a second. */
const VIRTUAL_FROM = 120;
const ROW_PX = 33;

/** A dense table, 32 pixels a row; on a narrow screen each row reads by itself. */
export function DataTable<Row>(props: Props<Row>) {
  const { caption, columns, rows, onSight } = props;
  const body = useRef<HTMLTableSectionElement>(null);
  const [offset, setOffset] = useState(0);
  const virtual = rows.length > VIRTUAL_FROM;
  useLayoutEffect(() => {
    if (body.current !== null) setOffset(body.current.getBoundingClientRect().top + window.scrollY);
  }, [virtual]);
  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => ROW_PX,
    overscan: 12,
    scrollMargin: offset,
    enabled: virtual,
  });
  const shown = virtual ? virtualizer.getVirtualItems() : rows.map((_, index) => ({ index, start: 0, end: 0 }));
  const before = virtual ? (shown[0]?.start ?? offset) - offset : 0;
  const after = virtual ? virtualizer.getTotalSize() - ((shown[shown.length - 1]?.end ?? 0) - offset) : 0;
  const [first, last] = [shown[0]?.index ?? 0, shown.at(-1)?.index ?? 0];
  useEffect(() => onSight?.(first, last), [first, last, onSight]);
  return (
    <div className="table-scroll">
      <table className="table data-table">
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.id} scope="col" className={column.numeric === true ? 'numeric' : undefined}>
                {column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          <Spacer height={before} columns={columns.length} />
          {shown.map(({ index }) => {
            const row = rows[index];
            if (row === undefined) return <Unread key={index} index={index} columns={columns.length} />;
            return (
              <Line key={props.rowKey(row)} {...props} row={row} index={index} measure={virtual ? virtualizer.measureElement : null} />
            );
          })}
          <Spacer height={after} columns={columns.length} />
        </tbody>
      </table>
    </div>
  );
}

function Spacer({ height, columns }: { readonly height: number; readonly columns: number }) {
  if (height <= 0) return null;
  return (
    <tr aria-hidden="true" className="spacer">
      <td colSpan={columns} style={{ height }} />
    </tr>
  );
}

/** The place of a row that is being read. */
function Unread({ index, columns }: { readonly index: number; readonly columns: number }) {
  return (
    <tr data-index={index} className="unread" aria-busy="true">
      <td colSpan={columns} className="faint" style={{ height: ROW_PX }}>
        …
      </td>
    </tr>
  );
}

type LineProps<Row> = Props<Row> & {
  readonly row: Row;
  readonly index: number;
  readonly measure: ((element: Element | null) => void) | null;
};

function Line<Row>({ columns, row, index, measure, rowClass, onRowKey, onRowClick }: LineProps<Row>) {
  return (
    <tr
      ref={measure}
      data-index={index}
      className={rowClass?.(row)}
      onKeyDown={onRowKey === undefined ? undefined : (event) => onRowKey(row, index, event)}
      onClick={
        onRowClick === undefined
          ? undefined
          : (event) => {
              if (event.target instanceof Element && event.target.closest('a, button, input, label') === null)
                onRowClick(row, index, event);
            }
      }
    >
      {columns.map((column) => (
        <td key={column.id} className={column.numeric === true ? 'numeric' : undefined} data-label={column.label}>
          {column.cell(row, index)}
        </td>
      ))}
    </tr>
  );
}
