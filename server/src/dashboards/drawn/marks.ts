/** A drawing in points, apart from what it becomes: SVG in a page, or paper. The origin is the upper left corner. */
export type Point = readonly [x: number, y: number];
export type Mark =
  | { readonly mark: 'line'; readonly points: readonly Point[]; readonly colour: string; readonly width: number; readonly dashed?: boolean }
  | { readonly mark: 'area'; readonly points: readonly Point[]; readonly colour: string; readonly opacity?: number }
  | {
      readonly mark: 'text';
      readonly text: string;
      readonly at: Point;
      readonly size: number;
      readonly colour: string;
      readonly bold?: boolean;
      readonly anchor?: 'start' | 'middle' | 'end';
    };

export type Drawing = { readonly width: number; readonly height: number; readonly marks: readonly Mark[] };

export const box = (x: number, y: number, width: number, height: number): readonly Point[] => [
  [x, y],
  [x + width, y],
  [x + width, y + height],
  [x, y + height],
];

/** Part of a ring as an outline; angles in turns from the top, clockwise. */
export function ringPart(
  middle: Point,
  radii: { readonly inner: number; readonly outer: number },
  from: number,
  to: number,
): readonly Point[] {
  const steps = Math.max(2, Math.ceil((to - from) * 90));
  const at = (radius: number, turn: number): Point => {
    const angle = turn * 2 * Math.PI - Math.PI / 2;
    return [middle[0] + radius * Math.cos(angle), middle[1] + radius * Math.sin(angle)];
  };
  const turns = Array.from({ length: steps + 1 }, (_, i) => from + ((to - from) * i) / steps);
  const outer = turns.map((turn) => at(radii.outer, turn));
  return radii.inner === 0 ? [middle, ...outer] : [...outer, ...turns.reverse().map((turn) => at(radii.inner, turn))];
}
