import { useMediaQuery } from '@mantine/hooks';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { AlertView } from '../api/wire.ts';
import { Since } from '../components/instant.tsx';
import { t } from '../language/t.ts';
import { AlertStateMark } from '../pages/alert-state.tsx';
import { alertTitle } from '../pages/sentences.ts';
import type { Selection } from '../pages/use-selection.ts';
import { SeverityMark } from '../states/state-mark.tsx';
import { plainText } from './plain-text.ts';
import type { InboxRow } from './use-inbox.ts';

const ROW_PX = 60;
/** On a phone what is said of an alert takes a second line. */
const NARROW_ROW_PX = 80;
const NARROW = '(max-width: 640px)';
const GROUP_PX = 40;
const MAX_TITLE_CHARS = 200;
const MAX_SMALL_CHARS = 60;

export type RowsProps = {
  readonly rows: readonly (InboxRow | undefined)[];
  /** The row that keys act on, and its place. */
  readonly cursor: string | undefined;
  readonly place: number;
  /** The alert beside the list. */
  readonly opened: string | undefined;
  /** Null when the reader may not act. */
  readonly selection: Selection | null;
  /** Changes when a key moved the cursor: its row is then brought into sight and gets the focus. */
  readonly moved: number;
  readonly onOpen: (id: string) => void;
  readonly onGroup: (key: string) => void;
  readonly onMore: (row: Extract<InboxRow, { kind: 'more' }>) => void;
  readonly onSight: (first: number, last: number) => void;
};

export const rowId = (key: string): string => `inbox-${key}`;

/** Lines of the inbox, of which only those in sight are in the page. */
export function InboxRows(props: RowsProps) {
  const { rows, cursor, place, moved, onSight } = props;
  const list = useRef<HTMLUListElement>(null);
  const [offset, setOffset] = useState(0);
  useLayoutEffect(() => {
    if (list.current !== null) setOffset(list.current.getBoundingClientRect().top + window.scrollY);
  });
  const rowPx = useMediaQuery(NARROW, undefined, { getInitialValueInEffect: false }) ? NARROW_ROW_PX : ROW_PX;
  // Another function has all rows measured anew: where all are alerts, all are of one height.
  const placeOf = useCallback((index: number) => index, [rows.some((row) => (row?.kind ?? 'alert') !== 'alert') ? rows : null]);
  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: (index) => ((rows[index]?.kind ?? 'alert') === 'alert' ? rowPx : GROUP_PX),
    getItemKey: placeOf,
    overscan: 10,
    scrollMargin: offset,
  });
  useEffect(() => virtualizer.measure(), [rowPx]);
  const shown = virtualizer.getVirtualItems();
  const [first, last] = [shown[0]?.index ?? 0, shown.at(-1)?.index ?? 0];
  useEffect(() => {
    if (rows.length > 0) onSight(first, last);
  }, [first, last, rows.length, onSight]);
  useEffect(() => {
    if (moved === 0 || place < 0) return;
    virtualizer.scrollToIndex(place, { align: 'auto' });
    requestAnimationFrame(() => document.getElementById(rowId(cursor ?? ''))?.focus({ preventScroll: true }));
    // Only a key moves the focus; rows that come and go do not.
  }, [moved]);
  return (
    <ul ref={list} className="inbox-rows panel" aria-label={t('Alerts')} style={{ height: virtualizer.getTotalSize() }}>
      {shown.map(({ index, start, size }) => {
        const row = rows[index];
        return (
          <li
            key={row?.key ?? index}
            style={{ transform: `translateY(${start - offset}px)`, height: size }}
            className={row === undefined ? 'inbox-row' : lineClass(row, props)}
            aria-setsize={rows.length}
            aria-posinset={index + 1}
            aria-busy={row === undefined ? true : undefined}
          >
            {row === undefined ? <p className="faint">…</p> : <Line row={row} {...props} />}
          </li>
        );
      })}
    </ul>
  );
}

function lineClass(row: InboxRow, { cursor, opened, selection }: RowsProps): string {
  const states = [
    ['inbox-row', true],
    ['inbox-group', row.kind !== 'alert'],
    ['current', row.key === cursor],
    ['opened', row.key === opened],
    ['chosen', row.kind === 'alert' && selection?.has(row.alert.id) === true],
  ] as const;
  return states.flatMap(([name, holds]) => (holds ? [name] : [])).join(' ');
}

function Line({ row, ...props }: { readonly row: InboxRow } & RowsProps) {
  if (row.kind === 'alert') return <AlertLine alert={row.alert} {...props} />;
  if (row.kind === 'more') {
    if (row.search === null)
      return (
        <p className="faint ellipsis" title={row.text}>
          {row.text}
        </p>
      );
    return (
      <button id={rowId(row.key)} type="button" className="plain-button" onClick={() => props.onMore(row)}>
        {row.text}
      </button>
    );
  }
  const { group, isOpen, title } = row;
  return (
    <button id={rowId(row.key)} type="button" className="inbox-group-head" aria-expanded={isOpen} onClick={() => props.onGroup(group.key)}>
      <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span>
      <SeverityMark severity={group.severity} />
      <b className="ellipsis">{group.key === '' ? t('none') : plainText(title, MAX_TITLE_CHARS)}</b>
      <span className="faint nowrap">{t('{total} open, {firing} firing', { total: group.total, firing: group.firing })}</span>
    </button>
  );
}

function AlertLine({ alert, selection, onOpen, opened }: { readonly alert: AlertView } & RowsProps) {
  const title = plainText(alertTitle(alert), MAX_TITLE_CHARS);
  // Alerts of one rule often have one text; the instance tells them apart.
  const instance = alert.labels['instance'] ?? alert.labels['host'] ?? '';
  return (
    <>
      {selection === null ? null : (
        <input
          type="checkbox"
          aria-label={t('Select {title}', { title })}
          checked={selection.has(alert.id)}
          onChange={() => undefined}
          onClick={(event) => selection.toggle(alert.id, event.shiftKey)}
        />
      )}
      <button
        id={rowId(alert.id)}
        type="button"
        className="inbox-line"
        aria-current={opened === alert.id ? 'true' : undefined}
        onClick={() => onOpen(alert.id)}
      >
        <span className="inbox-title ellipsis">{title}</span>
        <span className="alert-meta">
          <SeverityMark severity={alert.severity} />
          <AlertStateMark alert={alert} />
          <Since atMs={alert.starts_at_ms} />
          {title.includes(alert.alertname) ? null : <span>{plainText(alert.alertname, MAX_SMALL_CHARS)}</span>}
          {alert.service === null ? null : <span>{plainText(alert.service, MAX_SMALL_CHARS)}</span>}
          {instance === '' || title.includes(instance) ? null : <span>{plainText(instance, MAX_SMALL_CHARS)}</span>}
          {alert.assigned_to === null ? null : <span>{t('with {name}', { name: plainText(alert.assigned_to, MAX_SMALL_CHARS) })}</span>}
          {alert.flapping_since_ms === null || alert.flapping_since_ms === undefined ? null : <span>{t('flapping')}</span>}
        </span>
      </button>
    </>
  );
}
