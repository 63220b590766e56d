/**
 * A dashboard of Grafana in one shape, whatever schema it was written in: sections of placed panels, each panel, variable and annotation
 * as the Classic schema has it.
 */
import { type Fields } from './fields.ts';

export type Placed = { readonly panel: Fields; readonly x: number; readonly y: number; readonly w: number; readonly h: number };

export type WrittenSection = {
  readonly title: string;
  readonly collapsed: boolean;
  /** The variable for each value of which Grafana shows it once more; '' for none. */
  readonly repeat: string;
  readonly items: readonly Placed[];
};

export const GRAFANA_SCHEMAS = ['classic', 'v1', 'v2'] as const;
export type GrafanaSchema = (typeof GRAFANA_SCHEMAS)[number];

export type WrittenGrafana = {
  readonly schema: GrafanaSchema;
  readonly uid: string;
  readonly folder: string;
  /** `title`, `description`, `tags`, `time`, `refresh`, `timezone`, `links` as in the Classic schema. */
  readonly frame: Fields;
  readonly sections: readonly WrittenSection[];
  /** When all of it flows in so many columns. */
  readonly columns: 1 | 2 | 3 | undefined;
  readonly variables: readonly Fields[];
  readonly annotations: readonly Fields[];
  /** `__inputs`: what the importer is asked for. */
  readonly inputs: readonly Fields[];
  /** `__elements`: library panels that came along, by uid. */
  readonly library: Fields;
};

/** Wherever it stands, a panel is somewhere on the grid. */
export function placeIn(written: Fields, fallback: Omit<Placed, 'panel'>): Omit<Placed, 'panel'> {
  const whole = (name: string, otherwise: number, most: number): number => {
    const value = Object.hasOwn(written, name) ? Number(written[name]) : Number.NaN;
    return Number.isFinite(value) ? Math.min(most, Math.max(0, Math.round(value))) : otherwise;
  };
  const x = whole('x', fallback.x, 23);
  return {
    x,
    y: whole('y', fallback.y, 1_000_000),
    w: Math.min(24 - x, Math.max(1, whole('w', fallback.w, 24))),
    h: Math.max(1, whole('h', fallback.h, 100)),
  };
}

/**
 * Panels moved up until they touch what is above them, as Grafana shows them: no gaps, nothing over anything. At most 10 000 rows of
 * the grid, which 200 panels of 100 rows reach only when piled up.
 */
export function compacted<Item extends Omit<Placed, 'panel'>>(items: readonly Item[]): readonly Item[] {
  const placed: Item[] = [];
  for (const item of [...items].sort((a, b) => a.y - b.y || a.x - b.x)) {
    const above = placed.filter(({ x, w }) => x < item.x + item.w && item.x < x + w);
    placed.push({
      ...item,
      y: Math.min(
        10_000,
        above.reduce((most, { y, h }) => Math.max(most, y + h), 0),
      ),
    });
  }
  return placed;
}
