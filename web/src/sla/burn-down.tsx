import { useElementSize } from '@mantine/hooks';
import { type PointerEvent, useState } from 'react';
import type { BurnDownView } from '../api/wire.ts';
import { exactInstant, tickText } from '../figures/instant.ts';
import { lengthText } from '../figures/length.ts';
import { t } from '../language/t.ts';
import { useNowStep } from '../shell/now.ts';
import { ticksOf } from '../timeline/view.ts';
import { type Scales, levels, nearest, pathOf, scalesOf } from './burn-down-scales.ts';

const HEIGHT = 240;
const TICK_PX = 96;

type Props = { readonly data: BurnDownView; readonly exhaustsAtMs: number | null };

/** What was left of the error budget as its window went on: from the whole of it down to now, below the line when it is overspent. */
export function BurnDown({ data, exhaustsAtMs }: Props) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const [hoverX, setHoverX] = useState<number | null>(null);
  const now = useNowStep(60_000);
  const text = (amount: number) =>
    data.unit === 'events' ? t('{events, plural, one {# event} other {# events}}', { events: amount }) : lengthText(amount);
  const last = data.points.at(-1);
  if (last === undefined) return null;
  const scales = width === 0 ? null : scalesOf(data, { width, height: HEIGHT });
  const point = scales === null || hoverX === null ? undefined : nearest(data.points, scales.atMs(hoverX));
  const readout = point ?? last;
  const said = { total: text(data.total), left: text(last.remaining) };
  const label =
    exhaustsAtMs === null
      ? t('Error budget left, from {total} at the beginning to {left} now', said)
      : t('Error budget left, from {total} at the beginning to {left} now; at the present rate it ends at {end}', {
          ...said,
          end: exactInstant(exhaustsAtMs, now),
        });
  return (
    <figure className="chart">
      <figcaption className="chart-head">
        <h3>{t('What was left')}</h3>
        <span className="chart-readout">
          <b className={readout.remaining < 0 ? 'strong' : ''}>{text(readout.remaining)}</b>
          <span className="faint">{` ${t('of {total}', { total: text(data.total) })} · ${point === undefined ? t('now') : exactInstant(readout.at_ms, now)}`}</span>
        </span>
      </figcaption>
      <div
        ref={ref}
        role="img"
        aria-label={label}
        className="burn-down"
        onPointerMove={(event: PointerEvent<HTMLDivElement>) => setHoverX(event.clientX - event.currentTarget.getBoundingClientRect().left)}
        onPointerLeave={() => setHoverX(null)}
      >
        {scales === null ? null : <Drawing data={data} scales={scales} width={width} exhaustsAtMs={exhaustsAtMs} at={point} />}
      </div>
    </figure>
  );
}

type DrawingProps = Props & {
  readonly scales: Scales;
  readonly width: number;
  readonly at: BurnDownView['points'][number] | undefined;
};

function Drawing({ data, scales, width, exhaustsAtMs, at }: DrawingProps) {
  const { x, y, left, bottom } = scales;
  const offsetMs = -new Date(data.to_at_ms).getTimezoneOffset() * 60_000;
  const ticks = ticksOf({ fromMs: data.from_at_ms, toMs: data.to_at_ms }, Math.max(2, (width - left) / TICK_PX), offsetMs);
  const last = data.points.at(-1);
  const ends = exhaustsAtMs !== null && exhaustsAtMs <= data.to_at_ms ? exhaustsAtMs : null;
  return (
    <svg width={width} height={HEIGHT} aria-hidden="true">
      {levels(data, scales).map((level) => (
        <g key={level}>
          <line x1={left} x2={width} y1={y(level)} y2={y(level)} className={level === 0 ? 'chart-limit' : 'chart-grid'} />
          <text x={left - 8} y={y(level) + 4} textAnchor="end" className="chart-tick">
            {data.unit === 'events' ? String(level) : lengthText(level)}
          </text>
        </g>
      ))}
      <text x={left + 4} y={y(0) + (bottom - y(0) < 24 ? -6 : 16)} className="chart-tick">
        {t('nothing left')}
      </text>
      {ticks.atMs.map((atMs) => (
        <text key={atMs} x={x(atMs)} y={bottom + 20} textAnchor="middle" className="chart-tick">
          {x(atMs) < left + 24 || x(atMs) > width - 24 ? '' : tickText(atMs, ticks.stepMs)}
        </text>
      ))}
      <path d={pathOf(data.points, scales)} className="chart-line" />
      {last === undefined || ends === null ? null : (
        <line x1={x(last.at_ms)} y1={y(last.remaining)} x2={x(ends)} y2={y(0)} className="chart-forecast" />
      )}
      {at === undefined ? null : <circle cx={x(at.at_ms)} cy={y(at.remaining)} r="3.5" className="chart-dot" />}
    </svg>
  );
}
