/** What editing does to a dashboard, and what was changed in words. Pure: every step gives a new document. */
import type { DashboardSpec, Layout, Panel, PanelKind } from '../api/dashboards.ts';
import { t } from '../language/t.ts';

type Item = Extract<Layout, { kind: 'custom' }>['sections'][number]['items'][number];
type FlowLayout = Exclude<Layout, { kind: 'custom' }>;
export type LayoutKind = Layout['kind'];

export const GRID_COLUMNS = 24;
const MAX_PANEL_ROWS = 100;
const MAX_GRID_ROWS = 10_000;
const SIZE = { w: 12, h: 7 };

const isFlow = (layout: Layout): layout is FlowLayout => layout.kind !== 'custom';
const overlaps = (a: Item, b: Item): boolean => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
const within = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** Whatever `first` covers moves down until nothing overlaps. */
function settled(items: readonly Item[], first: Item): readonly Item[] {
  const placed: Item[] = [first];
  const others = items.filter(({ panel }) => panel !== first.panel).sort((a, b) => a.y - b.y || a.x - b.x);
  for (const item of others) {
    let next = item;
    for (let hit = placed.find((one) => overlaps(one, next)); hit !== undefined; hit = placed.find((one) => overlaps(one, next)))
      next = { ...next, y: hit.y + hit.h };
    placed.push(next);
  }
  return items.map(({ panel }) => placed.find((one) => one.panel === panel) ?? first);
}

export type Shift = { readonly x?: number; readonly y?: number; readonly w?: number; readonly h?: number };

/** Moves and sizes a panel of the free grid; it stays inside the columns. */
export function shifted(spec: DashboardSpec, id: string, by: Shift): DashboardSpec {
  const { layout } = spec;
  if (isFlow(layout)) return spec;
  const sections = layout.sections.map((section) => {
    const item = section.items.find(({ panel }) => panel === id);
    if (item === undefined) return section;
    const w = within(item.w + (by.w ?? 0), 1, GRID_COLUMNS);
    const next = {
      ...item,
      w,
      h: within(item.h + (by.h ?? 0), 1, MAX_PANEL_ROWS),
      x: within(item.x + (by.x ?? 0), 0, GRID_COLUMNS - w),
      y: within(item.y + (by.y ?? 0), 0, MAX_GRID_ROWS),
    };
    return { ...section, items: [...settled(section.items, next)] };
  });
  return { ...spec, layout: { kind: 'custom', sections } };
}

/** Moves a panel in the order of a flowing layout, over the ends of sections too. */
export function reordered(spec: DashboardSpec, id: string, by: -1 | 1): DashboardSpec {
  const { layout } = spec;
  if (!isFlow(layout)) return spec;
  const lists = layout.sections.map(({ panels }) => [...panels]);
  const at = lists.findIndex((ids) => ids.includes(id));
  const list = lists[at];
  if (list === undefined) return spec;
  const index = list.indexOf(id);
  list.splice(index, 1);
  if (index + by >= 0 && index + by <= list.length) list.splice(index + by, 0, id);
  else if (by < 0) (lists[at - 1] ?? list)[lists[at - 1] === undefined ? 'unshift' : 'push'](id);
  else (lists[at + 1] ?? list)[lists[at + 1] === undefined ? 'push' : 'unshift'](id);
  return withLists(spec, layout, lists);
}

const withLists = (spec: DashboardSpec, layout: FlowLayout, lists: readonly string[][]): DashboardSpec => ({
  ...spec,
  layout: { ...layout, sections: layout.sections.map((section, at) => ({ ...section, panels: lists[at] ?? [] })) },
});

/** Puts a panel where another one is, which makes room. */
export function putAt(spec: DashboardSpec, id: string, target: string): DashboardSpec {
  const { layout } = spec;
  if (!isFlow(layout) || id === target) return spec;
  const flat = layout.sections.flatMap(({ panels }) => panels);
  const after = flat.indexOf(id) < flat.indexOf(target) ? 1 : 0;
  const lists = layout.sections.map(({ panels }) => panels.filter((one) => one !== id));
  const list = lists.find((ids) => ids.includes(target));
  if (list === undefined) return spec;
  list.splice(list.indexOf(target) + after, 0, id);
  return withLists(spec, layout, lists);
}

const COLUMNS: Readonly<Record<FlowLayout['kind'], number>> = { grid: 3, one_column: 1, two_columns: 2, three_columns: 3 };

/** The same panels in another layout; what was placed by hand keeps its order. */
export function laidOut(spec: DashboardSpec, kind: LayoutKind): DashboardSpec {
  const { layout } = spec;
  if (kind === layout.kind) return spec;
  if (kind !== 'custom') {
    const sections = layout.sections.map(({ title, collapsed, ...rest }) => ({
      title,
      collapsed,
      panels: 'panels' in rest ? rest.panels : [...rest.items].sort((a, b) => a.y - b.y || a.x - b.x).map(({ panel }) => panel),
    }));
    return { ...spec, layout: { kind, sections } };
  }
  if (!isFlow(layout)) return spec;
  const columns = COLUMNS[layout.kind];
  const w = GRID_COLUMNS / columns;
  const sections = layout.sections.map(({ title, collapsed, panels }) => ({
    title,
    collapsed,
    items: panels.map((panel, at) => ({ panel, x: (at % columns) * w, y: Math.floor(at / columns) * SIZE.h, w, h: SIZE.h })),
  }));
  return { ...spec, layout: { kind: 'custom', sections } };
}

/** A name that no panel has. */
export function freeId(spec: DashboardSpec, wish: string): string {
  for (let number = 1; ; number++) {
    const id = number === 1 ? wish : `${wish}-${number}`;
    if (!Object.hasOwn(spec.panels, id)) return id;
  }
}

/** Adds a panel at the end of the last section. */
export function added(spec: DashboardSpec, panel: Panel): { readonly spec: DashboardSpec; readonly id: string } {
  const id = freeId(spec, panel.kind.replaceAll('_', '-'));
  const last = spec.layout.sections.length - 1;
  const { layout } = spec;
  const next: Layout = isFlow(layout)
    ? { ...layout, sections: layout.sections.map((one, at) => (at === last ? { ...one, panels: [...one.panels, id] } : one)) }
    : {
        kind: 'custom',
        sections: layout.sections.map((one, at) => {
          if (at !== last) return one;
          const y = Math.max(0, ...one.items.map((item) => item.y + item.h));
          return { ...one, items: [...one.items, { panel: id, x: 0, y, ...SIZE }] };
        }),
      };
  return { spec: { ...spec, panels: { ...spec.panels, [id]: panel }, layout: next }, id };
}

export function removed(spec: DashboardSpec, id: string): DashboardSpec {
  const { [id]: _gone, ...panels } = spec.panels;
  const { layout } = spec;
  const next: Layout = isFlow(layout)
    ? { ...layout, sections: layout.sections.map((one) => ({ ...one, panels: one.panels.filter((panel) => panel !== id) })) }
    : { kind: 'custom', sections: layout.sections.map((one) => ({ ...one, items: one.items.filter(({ panel }) => panel !== id) })) };
  return { ...spec, panels, layout: next };
}

const links: never[] = [];
const shared = { title: '', description: '', links };
const figures = { ...shared, unit: 'number' as const, thresholds: [] };
const LOAD = { from: 'promql' as const, queries: [{ expr: 'node_load1', legend: '{{instance}}' }] };

/** What a new panel of a kind begins with: something that draws at once. */
export function newPanel(kind: PanelKind): Panel {
  switch (kind) {
    case 'card':
      return { ...figures, kind, title: t('Load'), source: LOAD, reduce: 'last', sparkline: true, compare: 'period' };
    case 'line':
      return { ...figures, kind, title: t('Load'), source: LOAD, stack: false, fill: false, scale: 'linear' };
    case 'bar':
      return { ...figures, kind, title: t('Load'), source: LOAD, by: 'time', stack: false, reduce: 'last', top: 10 };
    case 'pie':
      return { ...figures, kind, title: t('Services'), source: { from: 'services', ids: [] }, reduce: 'last', hollow: true };
    case 'gauge':
      return { ...figures, kind, title: t('Load'), source: LOAD, reduce: 'last' };
    case 'heatmap':
      return { ...figures, kind, title: t('Load'), source: LOAD, mode: 'hour_by_weekday' };
    case 'table':
      return { ...figures, kind, title: t('Services'), source: { from: 'services', ids: [] }, reduce: 'last', columns: [], hide: [] };
    case 'alert_list':
      return {
        ...shared,
        kind,
        title: t('Open alerts'),
        source: { from: 'alerts', status: 'open', severity: [], matchers: '' },
        limit: 20,
      };
    case 'text':
      return { ...shared, kind, markdown: t('Write **Markdown** here.') };
    case 'slo_budget':
      return { ...shared, kind, title: t('Budgets left'), source: { from: 'slas', ids: [], figure: 'budget_left' }, show: 'card' };
    case 'status_timeline':
      return { ...shared, kind, title: t('Services over time'), source: { from: 'services', ids: [] } };
    case 'custom':
      return { ...figures, kind, title: t('Load'), source: LOAD, widget: '', options: {} };
    case 'state':
      return { ...shared, kind, title: t('Services'), source: { from: 'services', ids: [] } };
  }
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const nameOf = (spec: DashboardSpec, id: string): string => {
  const title = spec.panels[id]?.title ?? '';
  return title === '' ? id : title;
};

const OWN_FIELDS = ['title', 'description', 'variables', 'annotations', 'range', 'refresh', 'tags', 'folder'] as const;
const OWN_WORDS: Readonly<Record<(typeof OWN_FIELDS)[number], string>> = {
  title: t("the dashboard's title"),
  description: t("the dashboard's description"),
  variables: t("the dashboard's variables"),
  annotations: t("the dashboard's annotations"),
  range: t("the dashboard's range"),
  refresh: t("the dashboard's refresh"),
  tags: t("the dashboard's tags"),
  folder: t("the dashboard's folder"),
};

/** What was changed, a line each: panels that came, went or differ, then the layout and the dashboard's own fields. */
export function changesOf(before: DashboardSpec, after: DashboardSpec): readonly string[] {
  const ids = [...new Set([...Object.keys(before.panels), ...Object.keys(after.panels)])];
  const panels = ids.flatMap((id) => {
    const [was, is] = [before.panels[id], after.panels[id]];
    if (was === undefined) return [t('added {panel}', { panel: nameOf(after, id) })];
    if (is === undefined) return [t('removed {panel}', { panel: nameOf(before, id) })];
    const fields = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter(
      (field) => !same(Reflect.get(was, field), Reflect.get(is, field)),
    );
    return fields.length === 0 ? [] : [`${nameOf(after, id)}: ${fields.join(', ')}`];
  });
  const own = OWN_FIELDS.filter((field) => !same(before[field], after[field]));
  const layout = same(before.layout, after.layout)
    ? []
    : [before.layout.kind === after.layout.kind ? t('moved panels') : t('another layout')];
  return [...panels, ...layout, ...own.map((field) => OWN_WORDS[field])];
}
