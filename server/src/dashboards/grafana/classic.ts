/** The Classic schema: `panels` on a grid with `row` panels between them, and before version 16 `rows` of panels that flow. */
import { type Fields, fieldsAt, isTrueAt, listAt, numberAt, objectsAt, textAt } from './fields.ts';
import type { Losses } from './losses.ts';
import { type Placed, type WrittenGrafana, type WrittenSection, placeIn } from './written.ts';

/** Columns and rows of a panel that says nothing about its size. */
const USUAL = { w: 12, h: 8 };
/** Pixels of one row of Grafana's grid, with the gap below it. */
const ROW_PX = 38;
/** Panels are read up to here; more than the product takes are told as lost one by one. */
const MAX_READ = 1_000;

export function readClassic(written: Fields, losses: Losses): Omit<WrittenGrafana, 'schema' | 'uid' | 'folder'> {
  const flat = objectsAt(written, 'panels');
  const sections = flat.length === 0 ? oldRows(objectsAt(written, 'rows'), losses) : rowsAmong(flat, losses);
  return {
    frame: written,
    sections,
    columns: undefined,
    variables: objectsAt(written, 'templating', 'list'),
    annotations: objectsAt(written, 'annotations', 'list'),
    inputs: objectsAt(written, '__inputs'),
    library: fieldsAt(written, '__elements'),
  };
}

type Open = { readonly title: string; readonly collapsed: boolean; readonly repeat: string; readonly items: Placed[] };
const opened = (row: Fields | undefined): Open => ({
  title: textAt(row, 'title'),
  collapsed: isTrueAt(row, 'collapsed') || isTrueAt(row, 'collapse'),
  repeat: textAt(row, 'repeat'),
  items: [],
});

/** A row that is folded holds its panels; one that is not has them behind it. */
function rowsAmong(panels: readonly Fields[], losses: Losses): readonly WrittenSection[] {
  const found: Open[] = [];
  let current: Open | undefined;
  let read = 0;
  const put = (section: Open, panel: Fields): void => {
    read++;
    if (read > MAX_READ) losses.add(titleOf(panel), 'the panel', `only ${MAX_READ} panels of a dashboard are read`);
    else section.items.push({ panel, ...placeIn(fieldsAt(panel, 'gridPos'), flowing(section.items, USUAL)) });
  };
  for (const panel of panels) {
    if (textAt(panel, 'type') !== 'row') {
      if (current === undefined) found.push((current = opened(undefined)));
      put(current, panel);
      continue;
    }
    current = opened(panel);
    found.push(current);
    for (const inner of objectsAt(panel, 'panels')) {
      if (textAt(inner, 'type') === 'row') losses.add(titleOf(inner), 'the row', 'a row inside of a row: Grafana knows none either');
      else put(current, inner);
    }
  }
  return found;
}

export const titleOf = (panel: Fields): string => textAt(panel, 'title') || `panel ${numberAt(panel, 'id') ?? 'without a title'}`;

/** Behind the last one, or at the beginning of the next line. */
function flowing(items: readonly Placed[], { w, h }: { readonly w: number; readonly h: number }): Omit<Placed, 'panel'> {
  const last = items[items.length - 1];
  if (last === undefined) return { x: 0, y: 0, w, h };
  if (last.x + last.w + w <= 24) return { x: last.x + last.w, y: last.y, w, h };
  return { x: 0, y: last.y + last.h, w, h };
}

/** Rows of before version 16: twelve columns, a height in pixels. */
function oldRows(rows: readonly Fields[], losses: Losses): readonly WrittenSection[] {
  let read = 0;
  return rows.map((row) => {
    const section = opened(row);
    for (const panel of objectsAt(row, 'panels')) {
      read++;
      if (read > MAX_READ) {
        losses.add(titleOf(panel), 'the panel', `only ${MAX_READ} panels of a dashboard are read`);
        continue;
      }
      const w = Math.min(24, Math.max(1, Math.round(2 * (numberAt(panel, 'span') ?? 12))));
      const px = pixels(panel) ?? pixels(row) ?? 250;
      const h = Math.min(100, Math.max(2, Math.round(px / ROW_PX)));
      section.items.push({ panel, ...flowing(section.items, { w, h }) });
    }
    return isTrueAt(row, 'showTitle') || section.collapsed || listAt(row, 'panels').length === 0 ? section : { ...section, title: '' };
  });
}

/** `250px` or 250. */
function pixels(from: Fields): number | undefined {
  return numberAt(from, 'height') ?? numberAt({ height: textAt(from, 'height').replace(/px$/, '') }, 'height');
}
