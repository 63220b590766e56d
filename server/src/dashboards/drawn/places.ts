import type { DashboardSpec, Layout } from '../model.ts';

/** Where a panel stands, in columns and rows of a grid of 24 columns. */
export type Place = { readonly panel: string; readonly x: number; readonly y: number; readonly w: number; readonly h: number };
export type PlacedSection = { readonly title: string; readonly places: readonly Place[] };

const COLUMNS = 24;
const WIDTHS: Readonly<Record<Exclude<Layout['kind'], 'custom' | 'grid'>, number>> = { one_column: 24, two_columns: 12, three_columns: 8 };
/** Rows of the grid that a panel takes where nobody placed it. */
const ROWS = 8;
const SMALL = new Set(['card', 'gauge', 'state']);

/** The sections of a dashboard with the place of each panel. */
export function placesOf({ layout, panels }: DashboardSpec): readonly PlacedSection[] {
  return layout.sections.map((section) => ({
    title: section.title,
    places:
      'items' in section
        ? [...section.items].sort((a, b) => a.y - b.y || a.x - b.x)
        : flowing(section.panels, (id) => widthOf(layout.kind, panels[id]?.kind)),
  }));
}

const widthOf = (kind: Layout['kind'], panel: string | undefined): number =>
  kind === 'custom' || kind === 'grid' ? (SMALL.has(panel ?? '') ? 6 : 12) : WIDTHS[kind];

/** One after the other; the last of a row takes what is left of it. */
function flowing(ids: readonly string[], widthFor: (id: string) => number): readonly Place[] {
  const rows: Place[][] = [[]];
  let x = 0;
  for (const panel of ids) {
    const w = widthFor(panel);
    if (x + w > COLUMNS) {
      rows.push([]);
      x = 0;
    }
    rows.at(-1)?.push({ panel, x, y: (rows.length - 1) * ROWS, w, h: ROWS });
    x += w;
  }
  return rows.flatMap((row) => row.map((place, i) => (i === row.length - 1 && i > 0 ? { ...place, w: COLUMNS - place.x } : place)));
}

/** Panels that stand beside each other, from top to bottom. */
export function bandsOf(places: readonly Place[]): readonly (readonly Place[])[] {
  const bands: Place[][] = [];
  let foot = Number.NEGATIVE_INFINITY;
  for (const place of [...places].sort((a, b) => a.y - b.y || a.x - b.x)) {
    const band = bands.at(-1);
    // One that begins beside and below stands on its own: paper keeps rows.
    if (band !== undefined && place.y < foot && band.every((one) => place.x >= one.x + one.w || place.x + place.w <= one.x))
      band.push(place);
    else bands.push([place]);
    foot = Math.max(place.y < foot ? foot : place.y, place.y + place.h);
  }
  return bands;
}
