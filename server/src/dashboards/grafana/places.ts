/** Where each panel of a layout stands in Grafana's grid of 24 columns. Pure. */
import type { DashboardSpec, Layout, PanelKind } from '../model.ts';

export type GridPos = { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
export type Place = { readonly key: string; readonly id: number; readonly gridPos: GridPos };
export type PlacedSection = {
  readonly row: { readonly title: string; readonly collapsed: boolean; readonly id: number; readonly y: number } | undefined;
  readonly places: readonly Place[];
};

const COLUMNS: Readonly<Record<Exclude<Layout['kind'], 'custom'>, number>> = { grid: 4, one_column: 1, two_columns: 2, three_columns: 3 };
const HEIGHTS: Readonly<Record<PanelKind, number>> = {
  card: 4,
  gauge: 6,
  line: 8,
  bar: 8,
  pie: 8,
  heatmap: 9,
  table: 9,
  alert_list: 9,
  text: 4,
  slo_budget: 7,
  status_timeline: 7,
  state: 6,
  custom: 8,
};

export function placesOf({ layout, panels }: DashboardSpec): readonly PlacedSection[] {
  let id = 0;
  let y = 0;
  return layout.sections.map((section, at) => {
    // The first needs no row when it has no name; behind a row, one without a name needs its own to end it.
    const needsRow = section.title !== '' || section.collapsed || at > 0;
    const row = needsRow ? { title: section.title, collapsed: section.collapsed, id: ++id, y: y++ } : undefined;
    const items = 'items' in section ? section.items : flow(section.panels, layout, panels);
    const places = items.map(({ panel: key, x, y: below, w, h }) => ({ key, id: ++id, gridPos: { x, y: y + below, w, h } }));
    if (!section.collapsed) y = places.reduce((most, { gridPos }) => Math.max(most, gridPos.y + gridPos.h), y);
    return { row, places };
  });
}

type Item = GridPos & { readonly panel: string };

/** Line by line; a line is as tall as the tallest of it. */
function flow(keys: readonly string[], layout: Layout, panels: DashboardSpec['panels']): readonly Item[] {
  const columns = layout.kind === 'custom' ? 1 : COLUMNS[layout.kind];
  const w = 24 / columns;
  const items: Item[] = [];
  let y = 0;
  for (let at = 0; at < keys.length; at += columns) {
    const line = keys.slice(at, at + columns);
    const h = Math.max(...line.map((key) => HEIGHTS[panels[key]?.kind ?? 'line']));
    items.push(...line.map((panel, column) => ({ panel, x: column * w, y, w, h })));
    y += h;
  }
  return items;
}
