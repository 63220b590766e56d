/** What editing does to the sections of a dashboard. Pure: every step gives a new document. */
import type { DashboardSpec, Layout } from '../api/dashboards.ts';
import { GRID_COLUMNS, freeId, laidOut } from './draft.ts';

type Custom = Extract<Layout, { kind: 'custom' }>;
type Item = Custom['sections'][number]['items'][number];
type Flow = Exclude<Layout, { kind: 'custom' }>;

export const MAX_SECTIONS = 50;

const idsOf = (section: Layout['sections'][number]): readonly string[] =>
  'items' in section ? section.items.map(({ panel }) => panel) : section.panels;
const lowest = (items: readonly Item[]): number => Math.max(0, ...items.map(({ y, h }) => y + h));

/** The section in which a panel stands; -1: nowhere. */
export const sectionOf = ({ layout }: DashboardSpec, id: string): number => layout.sections.findIndex((one) => idsOf(one).includes(id));

type Change = {
  readonly flow: (sections: Flow['sections']) => Flow['sections'];
  readonly custom: (sections: Custom['sections']) => Custom['sections'];
};

const changed = (spec: DashboardSpec, { flow, custom }: Change): DashboardSpec => ({
  ...spec,
  layout:
    spec.layout.kind === 'custom'
      ? { kind: 'custom', sections: custom(spec.layout.sections) }
      : { ...spec.layout, sections: flow(spec.layout.sections) },
});

/** An empty one at the end. */
export function sectionAdded(spec: DashboardSpec, title: string): DashboardSpec {
  if (spec.layout.sections.length >= MAX_SECTIONS) return spec;
  const made = { title, collapsed: false };
  return changed(spec, { flow: (all) => [...all, { ...made, panels: [] }], custom: (all) => [...all, { ...made, items: [] }] });
}

export function sectionChanged(
  spec: DashboardSpec,
  at: number,
  by: { readonly title?: string; readonly collapsed?: boolean },
): DashboardSpec {
  const put = <S extends object>(all: readonly S[]): S[] => all.map((one, place) => (place === at ? { ...one, ...by } : one));
  return changed(spec, { flow: put, custom: put });
}

/** Changes places with the section before or after it. */
export function sectionMoved(spec: DashboardSpec, at: number, by: -1 | 1): DashboardSpec {
  const swap = <S>(all: readonly S[]): S[] => {
    const next = [...all];
    const [one, other] = [next[at], next[at + by]];
    if (one === undefined || other === undefined) return next;
    next[at] = other;
    next[at + by] = one;
    return next;
  };
  return changed(spec, { flow: swap, custom: swap });
}

/** Its panels go to the end of the section before it, or to the next one; the only one stays. */
export function sectionRemoved(spec: DashboardSpec, at: number): DashboardSpec {
  if (spec.layout.sections.length < 2) return spec;
  const to = at === 0 ? 1 : at - 1;
  return changed(spec, {
    flow: (all) => {
      const gone = all[at]?.panels ?? [];
      return all
        .map((one, place) => (place === to ? { ...one, panels: [...one.panels, ...gone] } : one))
        .filter((_one, place) => place !== at);
    },
    custom: (all) => {
      const gone = all[at]?.items ?? [];
      return all
        .map((one, place) => {
          if (place !== to) return one;
          const below = lowest(one.items);
          return { ...one, items: [...one.items, ...gone.map((item) => ({ ...item, y: item.y + below }))] };
        })
        .filter((_one, place) => place !== at);
    },
  });
}

/** Puts a panel at the end of another section. */
export function movedToSection(spec: DashboardSpec, id: string, to: number): DashboardSpec {
  const from = sectionOf(spec, id);
  if (from === to || from < 0 || spec.layout.sections[to] === undefined) return spec;
  return changed(spec, {
    flow: (all) =>
      all.map((one, place) => {
        const others = one.panels.filter((panel) => panel !== id);
        return { ...one, panels: place === to ? [...others, id] : others };
      }),
    custom: (all) => {
      const item = all[from]?.items.find(({ panel }) => panel === id);
      return all.map((one, place) => {
        const others = one.items.filter(({ panel }) => panel !== id);
        return { ...one, items: place === to && item !== undefined ? [...others, { ...item, x: 0, y: lowest(others) }] : others };
      });
    },
  });
}

/** The same panel once more, right after itself, or below everything where panels are placed by hand. */
export function duplicated(spec: DashboardSpec, id: string): { readonly spec: DashboardSpec; readonly id: string } {
  const panel = spec.panels[id];
  if (panel === undefined) return { spec, id };
  const copy = freeId(spec, id.replace(/-\d+$/, ''));
  const next: DashboardSpec = { ...spec, panels: { ...spec.panels, [copy]: panel } };
  const placed = changed(next, {
    flow: (all) => all.map((one) => ({ ...one, panels: one.panels.flatMap((each) => (each === id ? [each, copy] : [each])) })),
    custom: (all) =>
      all.map((one) => {
        const item = one.items.find((each) => each.panel === id);
        return item === undefined ? one : { ...one, items: [...one.items, { ...item, panel: copy, ...beside(one.items, item) }] };
      }),
  });
  return { spec: placed, id: copy };
}

/** To the right where that is free, else below everything. */
function beside(items: readonly Item[], { x, y, w, h }: Item): Pick<Item, 'x' | 'y'> {
  const right = x + w;
  const free =
    right + w <= GRID_COLUMNS && !items.some((one) => one.x < right + w && right < one.x + one.w && one.y < y + h && y < one.y + one.h);
  return free ? { x: right, y } : { x: 0, y: lowest(items) };
}

/**
 * Another layout in which nobody's work is lost: `kept` is the free grid that the dashboard had before, whose places panels get again.
 * Those that came since stand below.
 */
export function laidOutKeeping(spec: DashboardSpec, kind: Layout['kind'], kept: Layout | undefined): DashboardSpec {
  const next = laidOut(spec, kind);
  if (kind !== 'custom' || kept?.kind !== 'custom' || next.layout.kind !== 'custom') return next;
  const places = new Map(kept.sections.flatMap(({ items }) => items.map((item) => [item.panel, item] as const)));
  const sections = next.layout.sections.map((one) => {
    const known = one.items.flatMap(({ panel }) => places.get(panel) ?? []);
    let below = lowest(known);
    const fresh = one.items
      .filter(({ panel }) => !places.has(panel))
      .map((item) => {
        const placed = { ...item, x: 0, y: below };
        below += item.h;
        return placed;
      });
    return { ...one, items: [...known, ...fresh] };
  });
  return { ...next, layout: { kind: 'custom', sections } };
}
