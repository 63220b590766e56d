/** A query as a panel of a dashboard. Pure. */
import type { DashboardView } from '../api/explore.ts';
import type { Tab, UnitName } from './search.ts';

type Spec = DashboardView['spec'];
type Panel = Spec['panels'][string];
export type PanelDraft = { readonly title: string; readonly query: string; readonly tab: Tab; readonly unit: UnitName };

const slugOf = (title: string, fallback: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 40) || fallback;

/** `cpu`, `cpu-2`, …: not taken yet. */
export function freeSlug(title: string, taken: readonly string[], fallback: string): string {
  const base = slugOf(title, fallback);
  let slug = base;
  for (let i = 2; taken.includes(slug); i++) slug = `${base}-${i}`;
  return slug;
}

function panelOf({ title, query, tab, unit }: PanelDraft): Panel {
  const shared = { title, description: '', links: [], unit, thresholds: [] };
  const source = { from: 'promql' as const, queries: [{ expr: query, ...(tab === 'table' && { instant: true }) }] };
  if (tab === 'table') return { kind: 'table', ...shared, source, reduce: 'last', columns: [], hide: [] };
  return { kind: 'line', ...shared, source, stack: false, fill: false, scale: 'linear' };
}

const WIDE = 12;
const TALL = 8;

/** The document with the panel after all others. */
export function withPanel(spec: Spec, draft: PanelDraft): Spec {
  const slug = freeSlug(draft.title, Object.keys(spec.panels), 'panel');
  const panels = { ...spec.panels, [slug]: panelOf(draft) };
  const { layout } = spec;
  if (layout.kind === 'custom') {
    const items = layout.sections.at(-1)?.items ?? [];
    const y = items.reduce((below, item) => Math.max(below, item.y + item.h), 0);
    const place = { panel: slug, x: 0, y, w: WIDE, h: TALL };
    const sections = layout.sections.map((one, index) =>
      index === layout.sections.length - 1 ? { ...one, items: [...items, place] } : one,
    );
    return { ...spec, panels, layout: { ...layout, sections } };
  }
  const sections = layout.sections.map((one, index) =>
    index === layout.sections.length - 1 ? { ...one, panels: [...one.panels, slug] } : one,
  );
  return { ...spec, panels, layout: { ...layout, sections } };
}

/** A new dashboard without a panel yet. */
export const emptyDashboard = (title: string, taken: readonly string[]): Spec => ({
  schema: 1,
  id: freeSlug(title, taken, 'dashboard'),
  title,
  description: '',
  tags: [],
  folder: '',
  panels: {},
  layout: { kind: 'two_columns', sections: [{ title: '', collapsed: false, panels: [] }] },
  variables: [],
  annotations: [],
  range: '6h',
  refresh: 'live',
});
