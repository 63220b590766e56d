import { useId } from 'react';
import { Hatch } from '../states/state-mark.tsx';
import type { Stretch } from './interval-words.ts';
import { type Segment, type View, segments } from './view.ts';

type Props = {
  readonly intervals: readonly Stretch[];
  readonly view: View;
  readonly width: number;
  readonly height: number;
  readonly selected?: number;
};

const FILL: Readonly<Record<string, string>> = { up: 'var(--up-strip)', degraded: 'var(--degraded)', down: 'var(--down)' };

/** The exact intervals as rectangles. Unknown and what a contract takes out are hatched: they are not counted. Decoration only; words stand beside it. */
export function Strip({ intervals, view, width, height, selected }: Props) {
  const hatch = useId();
  const blue = useId();
  const fillOf = (state: string | undefined) => FILL[state ?? ''] ?? `url(#${state === 'excluded' ? blue : hatch})`;
  const drawn = segments(intervals, view, width);
  const chosen = drawn.find((segment) => segment.index === selected);
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true" className="strip">
      <Hatch id={hatch} colour="var(--hatch)" />
      <Hatch id={blue} colour="var(--maintenance)" />
      {drawn.map((segment) => (
        <Piece key={segment.index} segment={segment} height={height} fill={fillOf(intervals[segment.index]?.state)} />
      ))}
      {chosen === undefined ? null : (
        <rect x={chosen.x + 0.75} y={0.75} width={Math.max(1, chosen.width - 1.5)} height={height - 1.5} className="strip-chosen" />
      )}
    </svg>
  );
}

function Piece({ segment, height, fill }: { readonly segment: Segment; readonly height: number; readonly fill: string }) {
  // A hairline of ground between pieces shows a change between two states of like lightness.
  const gap = segment.width > 3 ? 0.5 : 0;
  return <rect x={segment.x + gap} y={0} width={segment.width - 2 * gap} height={height} fill={fill} />;
}
