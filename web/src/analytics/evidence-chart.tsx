import { useElementSize } from '@mantine/hooks';
import { type PointerEvent, type ReactNode, useId, useMemo, useState } from 'react';
import type { Band as ChartBand } from '../charts/plot-options.ts';
import { useDeployments } from '../charts/use-deployments.ts';
import { exactInstant, tickText } from '../figures/instant.ts';
import { t } from '../language/t.ts';
import { useNowStep } from '../shell/now.ts';
import { ticksOf } from '../timeline/view.ts';
import { type At, type Between, type Scales, bandPath, between, linePath, nearestPoint, scalesOf, valuesOf } from './scales.ts';

/** What a line is: what was measured, a straight line through it, what is foretold, what was once foretold, or another series. */
export type Role = 'value' | 'trend' | 'forecast' | 'past' | 'other';
export type Line = { readonly name: string; readonly role: Role; readonly points: readonly At[] };
export type Band = { readonly name: string; readonly role: Role; readonly points: readonly Between[] };
export type Episode = { readonly from_at_ms: number; readonly to_at_ms: number; readonly score: number; readonly reason: string };

export type EvidenceProps = {
  /** A heading over the picture; without one its surroundings name it. */
  readonly title?: string;
  /** One sentence for those who cannot see the picture. */
  readonly summary: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** How far apart the points are. */
  readonly stepMs: number;
  readonly lines: readonly Line[];
  readonly bands?: readonly Band[];
  readonly episodes?: readonly Episode[];
  /** Index of the episode that is looked at. */
  readonly chosen?: number | undefined;
  /** Instants at which the level changed. */
  readonly changes?: readonly number[];
  readonly limit?: { readonly value: number; readonly name: string } | undefined;
  /** Where what happened ends and what is foretold begins. */
  readonly nowMs?: number;
  readonly height?: number;
  readonly text: (value: number) => string;
};

const NOTHING: readonly never[] = [];
/** What was measured has gaps; what is told of it goes from point to point, however few there are. */
const gapOf = (role: Role, stepMs: number): number =>
  role === 'value' || role === 'other' ? stepMs * GAP_STEPS : Number.POSITIVE_INFINITY;
const GAP_STEPS = 2.5;
const AXIS_PX = 24;
const WIDE_AXIS_PX = 76;
const NARROW_AXIS_PX = 60;
const NARROW_PX = 480;
const TICK_PX = 88;
const LEVEL_PX = 48;
/** A mark so near to the pointer says what it is. */
const NEAR_PX = 6;

/** A series with what is said of it: lines, bands, episodes and changes on one time axis. */
export function EvidenceChart(props: EvidenceProps) {
  const { title, summary, height = 220, lines, bands = NOTHING, fromMs, toMs, limit } = props;
  const { ref, width } = useElementSize<HTMLDivElement>();
  const deployments = useDeployments(fromMs, Math.min(toMs, props.nowMs ?? toMs));
  const [hoverX, setHoverX] = useState<number | null>(null);
  const values = useMemo(() => {
    const seen = lines.map(({ points }) => points.filter(([atMs]) => atMs >= fromMs && atMs <= toMs));
    const within = bands.map(({ points }) => points.filter(([atMs]) => atMs >= fromMs && atMs <= toMs));
    return valuesOf({ lines: seen, bands: within, ...(limit === undefined ? {} : { limit: limit.value }) }, Math.max(2, height / LEVEL_PX));
  }, [lines, bands, fromMs, toMs, limit, height]);
  const left = width < NARROW_PX ? NARROW_AXIS_PX : WIDE_AXIS_PX;
  const scales = width === 0 ? null : scalesOf({ fromMs, toMs, ...values }, { width, height, left, bottom: AXIS_PX });
  const atMs = scales === null || hoverX === null ? undefined : Math.min(toMs, Math.max(fromMs, scales.atMs(hoverX)));
  return (
    <figure className="chart">
      <figcaption className="chart-head">
        {title === undefined ? null : <h3>{title}</h3>}
        <Legend {...props} deployments={deployments} atMs={atMs} near={scales === null ? 0 : scales.atMs(NEAR_PX) - scales.atMs(0)} />
      </figcaption>
      <div
        ref={ref}
        role="img"
        aria-label={summary}
        className="evidence-chart"
        style={{ height }}
        onPointerMove={(event: PointerEvent<HTMLDivElement>) => setHoverX(event.clientX - event.currentTarget.getBoundingClientRect().left)}
        onPointerLeave={() => setHoverX(null)}
      >
        {scales === null ? null : (
          <Drawing
            {...props}
            deployments={deployments}
            height={height}
            scales={scales}
            frame={{ width, left }}
            levels={values.ticks}
            atMs={atMs}
          />
        )}
      </div>
    </figure>
  );
}

/** What each stroke is, and its value at the pointer, or its last one. */
function Legend({
  lines,
  bands = NOTHING,
  episodes = NOTHING,
  changes = NOTHING,
  text,
  stepMs,
  atMs,
  deployments,
  near,
}: EvidenceProps & { readonly atMs: number | undefined; readonly deployments: readonly ChartBand[]; readonly near: number }) {
  const now = useNowStep(60_000);
  const valueOf = ({ points, role }: Line): number | null => {
    if (atMs === undefined) return points.findLast(([, value]) => value !== null)?.[1] ?? null;
    return role === 'trend' ? between(points, atMs) : (nearestPoint(points, atMs, stepMs * GAP_STEPS)?.[1] ?? null);
  };
  const boundsOf = (points: readonly Between[]): string => {
    const known = atMs === undefined ? points.at(-1) : nearestPoint(points, atMs, stepMs * GAP_STEPS);
    return known === undefined ? '–' : t('{from} to {to}', { from: text(known[1]), to: text(known[2]) });
  };
  return (
    <ul className="chart-names">
      {lines.map((line) => {
        const { name, role } = line;
        const value = valueOf(line);
        return (
          <li key={name}>
            <svg width="16" height="8" aria-hidden="true">
              <line x1="0" x2="16" y1="4" y2="4" className={`ev-line ev-${role}`} />
            </svg>
            {name}
            <b>{value === null ? '–' : text(value)}</b>
          </li>
        );
      })}
      {bands.map(({ name, role, points }) => (
        <li key={name}>
          <svg width="16" height="10" aria-hidden="true">
            <rect width="16" height="10" className={`ev-band ev-band-${role}`} />
          </svg>
          {name}
          <b>{boundsOf(points)}</b>
        </li>
      ))}
      {episodes.length === 0 ? null : (
        <li>
          <svg width="12" height="12" aria-hidden="true">
            <rect x="0.5" y="0.5" width="11" height="11" className="ev-episode" />
          </svg>
          {episodes.length === 1 ? t('unusual') : t('{episodes} unusual', { episodes: episodes.length })}
        </li>
      )}
      {changes.length === 0 ? null : (
        <li>
          <svg width="8" height="12" aria-hidden="true">
            <line x1="4" x2="4" y1="0" y2="12" className="ev-change" />
          </svg>
          {changes.length === 1 ? t('change of level') : t('{changes} changes of level', { changes: changes.length })}
        </li>
      )}
      <Deployments marks={deployments} atMs={atMs} near={near} />
      {atMs === undefined ? null : <li className="faint">{exactInstant(atMs, now)}</li>}
    </ul>
  );
}

/** How many there were, or at the pointer which. */
function Deployments({
  marks,
  atMs,
  near,
}: {
  readonly marks: readonly ChartBand[];
  readonly atMs: number | undefined;
  readonly near: number;
}) {
  if (marks.length === 0) return null;
  const here = atMs === undefined ? [] : marks.filter(({ fromMs }) => Math.abs(fromMs - atMs) <= near);
  return (
    <li>
      <svg width="10" height="12" aria-hidden="true">
        <path d="M5 0V12M5 5l4 7H1z" className="ev-deployment" />
      </svg>
      {here.length === 0
        ? t('{count, plural, one {# deployment} other {# deployments}}', { count: marks.length })
        : here.map(({ name }) => name).join(', ')}
    </li>
  );
}

type DrawingProps = EvidenceProps & {
  readonly deployments: readonly ChartBand[];
  readonly height: number;
  readonly scales: Scales;
  readonly frame: { readonly width: number; readonly left: number };
  readonly levels: readonly number[];
  readonly atMs: number | undefined;
};

function Drawing(props: DrawingProps): ReactNode {
  const { height, scales, frame, lines, bands = NOTHING, stepMs, limit, atMs } = props;
  const { x, y } = scales;
  const { width, left } = frame;
  const clip = useId();
  const floor = height - AXIS_PX;
  return (
    <svg width={width} height={height} aria-hidden="true">
      <clipPath id={clip}>
        <rect x={left} y={0} width={Math.max(0, width - left)} height={floor + 1} />
      </clipPath>
      <Axes {...props} floor={floor} />
      <g clipPath={`url(#${clip})`}>
        <Marks {...props} floor={floor} />
        {bands.map(({ name, role, points }) => (
          <path key={name} d={bandPath(points, scales)} className={`ev-band ev-band-${role}`} />
        ))}
        {lines.map(({ name, role, points }) => (
          <path key={name} d={linePath(points, scales, gapOf(role, stepMs))} className={`ev-line ev-${role}`} />
        ))}
        {atMs === undefined ? null : <line x1={x(atMs)} x2={x(atMs)} y1={0} y2={floor} className="ev-cursor" />}
      </g>
      {limit === undefined || y(limit.value) < 0 || y(limit.value) > floor ? null : (
        <g>
          <line x1={left} x2={width} y1={y(limit.value)} y2={y(limit.value)} className="chart-limit" />
          <text x={width - 8} y={y(limit.value) - 4} textAnchor="end" className="chart-tick">
            {limit.name}
          </text>
        </g>
      )}
    </svg>
  );
}

type PartProps = DrawingProps & { readonly floor: number };

function Axes({ fromMs, toMs, text, scales: { x, y }, frame: { width, left }, levels, floor }: PartProps) {
  const offsetMs = -new Date(toMs).getTimezoneOffset() * 60_000;
  const ticks = ticksOf({ fromMs, toMs }, Math.max(2, (width - left) / TICK_PX), offsetMs);
  return (
    <>
      {levels.map((level) => (
        <g key={level}>
          <line x1={left} x2={width} y1={y(level)} y2={y(level)} className="chart-grid" />
          <text x={left - 8} y={y(level) + 4} textAnchor="end" className="chart-tick">
            {text(level)}
          </text>
        </g>
      ))}
      {ticks.atMs.map((atMs) => (
        <text key={atMs} x={x(atMs)} y={floor + 18} textAnchor="middle" className="chart-tick">
          {x(atMs) < left + 20 || x(atMs) > width - 24 ? '' : tickText(atMs, ticks.stepMs)}
        </text>
      ))}
    </>
  );
}

const LEAST_EPISODE_PX = 4;

/** Deployments and episodes behind the lines, the latter numbered as in the list beside; changes of level; and where the present is. */
function Marks({ episodes = NOTHING, chosen, changes = NOTHING, deployments, nowMs, scales: { x }, floor }: PartProps) {
  return (
    <>
      {deployments.map(({ fromMs, name }) => (
        <path key={`${fromMs} ${name}`} d={`M${x(fromMs)} 8V${floor}m0 -8l5 8h-10z`} className="ev-deployment" />
      ))}
      {episodes.map(({ from_at_ms: fromMs, to_at_ms: toMs }, i) => {
        const width = Math.max(LEAST_EPISODE_PX, x(toMs) - x(fromMs));
        const middle = (x(fromMs) + x(toMs)) / 2;
        return (
          <g key={fromMs}>
            <rect
              x={middle - width / 2}
              y={14}
              width={width}
              height={floor - 14}
              className={chosen === i ? 'ev-episode ev-chosen' : 'ev-episode'}
            />
            <text x={middle} y={11} textAnchor="middle" className="ev-number">
              {i + 1}
            </text>
          </g>
        );
      })}
      {changes.map((atMs) => (
        <line key={atMs} x1={x(atMs)} x2={x(atMs)} y1={14} y2={floor} className="ev-change" />
      ))}
      {nowMs === undefined ? null : (
        <g>
          <line x1={x(nowMs)} x2={x(nowMs)} y1={8} y2={floor} className="ev-now" />
          <text x={x(nowMs) - 6} y={18} textAnchor="end" className="chart-tick">
            {t('now')}
          </text>
        </g>
      )}
    </>
  );
}
