import { useElementSize } from '@mantine/hooks';
import { t } from '../language/t.ts';
import { bandPath, linePath, roundStep, scalesOf, valuesOf } from './scales.ts';

type Pair = readonly [concurrency: number, value: number];
type Between = readonly [concurrency: number, lower: number, upper: number];

export type LoadPictureProps = {
  readonly title: string;
  /** One sentence for those who cannot see the picture. */
  readonly summary: string;
  readonly measured: readonly Pair[];
  /** By the law; dashed beyond what was measured. */
  readonly curve: readonly Pair[];
  readonly band?: readonly Between[];
  readonly mostSeen: number;
  readonly now: Pair;
  /** What is asked about, with the interval of single measurements. */
  readonly asked: { readonly concurrency: number; readonly value: number; readonly lower: number; readonly upper: number } | null;
  readonly peak: number | null;
  readonly text: (value: number) => string;
};

const HEIGHT_PX = 280;
const BOTTOM_PX = 40;
const LEFT_PX = 64;
const LEVELS = 5;
const TICK_PX = 72;
/** More dots than this are one blot. */
const MOST_DOTS = 800;
const NEAR_EDGE_PX = 90;

/** What was measured at each concurrency, the law through it, and where the asked load lies. */
export function LoadPicture(props: LoadPictureProps) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  return (
    <figure className="chart">
      <figcaption className="chart-head">
        <h3>{props.title}</h3>
        <Legend {...props} />
      </figcaption>
      <div ref={ref} role="img" aria-label={props.summary} className="evidence-chart" style={{ height: HEIGHT_PX }}>
        {width === 0 ? null : <Drawing {...props} width={width} />}
      </div>
    </figure>
  );
}

function Legend({ band, asked, peak }: LoadPictureProps) {
  return (
    <ul className="chart-names">
      <li>
        <svg width="10" height="10" aria-hidden="true">
          <circle cx="5" cy="5" r="2.5" className="load-dot" />
        </svg>
        {t('measured||of a chart')}
      </li>
      <li>
        <svg width="16" height="8" aria-hidden="true">
          <line x1="0" x2="16" y1="4" y2="4" className="ev-line load-law" />
        </svg>
        {t('the law')}
      </li>
      {band === undefined ? null : (
        <li>
          <svg width="16" height="10" aria-hidden="true">
            <rect width="16" height="10" className="ev-band ev-band-forecast" />
          </svg>
          {t('95 % of measurements')}
        </li>
      )}
      <li>
        <svg width="12" height="12" aria-hidden="true">
          <circle cx="6" cy="6" r="4.5" className="load-now" />
        </svg>
        {t('now')}
      </li>
      {asked === null ? null : (
        <li>
          <svg width="12" height="12" aria-hidden="true">
            <path d={diamond(6, 6)} className="load-asked" />
          </svg>
          {t('asked||of a chart')}
        </li>
      )}
      {peak === null ? null : (
        <li>
          <svg width="8" height="12" aria-hidden="true">
            <line x1="4" x2="4" y1="0" y2="12" className="ev-change" />
          </svg>
          {t('peak||of a chart')}
        </li>
      )}
    </ul>
  );
}

const bar = (x: number, from: number, to: number): string => `M${x - 5} ${from}h10M${x} ${from}V${to}M${x - 5} ${to}h10`;
const diamond = (x: number, y: number): string => `M${x} ${y - 6}L${x + 6} ${y}L${x} ${y + 6}L${x - 6} ${y}Z`;

function Drawing({ measured, curve, band = [], mostSeen, now, asked, peak, text, width }: LoadPictureProps & { readonly width: number }) {
  const most = Math.max(1, curve.at(-1)?.[0] ?? 0, mostSeen);
  const targets: readonly Pair[] = asked === null ? [now] : [now, [asked.concurrency, asked.value], [asked.concurrency, asked.upper]];
  const { low, high, ticks } = valuesOf({ lines: [measured, curve, targets], bands: [band] }, LEVELS);
  const scales = scalesOf(
    { fromMs: 0, toMs: most, low: Math.min(0, low), high },
    { width, height: HEIGHT_PX, left: LEFT_PX, bottom: BOTTOM_PX },
  );
  const { x, y } = scales;
  const floor = HEIGHT_PX - BOTTOM_PX;
  const step = roundStep(most, Math.max(2, (width - LEFT_PX) / TICK_PX));
  const across = Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step);
  const every = Math.max(1, Math.ceil(measured.length / MOST_DOTS));
  const isLate = peak !== null && x(peak) > width - NEAR_EDGE_PX;
  return (
    <svg width={width} height={HEIGHT_PX} aria-hidden="true">
      {ticks.map((level) => (
        <g key={level}>
          <line x1={LEFT_PX} x2={width} y1={y(level)} y2={y(level)} className="chart-grid" />
          <text x={LEFT_PX - 8} y={y(level) + 4} textAnchor="end" className="chart-tick">
            {text(level)}
          </text>
        </g>
      ))}
      {across.map((count) => (
        <text key={count} x={x(count)} y={floor + 16} textAnchor="middle" className="chart-tick">
          {Number(count.toPrecision(6))}
        </text>
      ))}
      <text x={(LEFT_PX + width) / 2} y={HEIGHT_PX - 4} textAnchor="middle" className="chart-tick">
        {t('at once')}
      </text>
      <path d={bandPath(band, scales)} className="ev-band ev-band-forecast" />
      {measured
        .filter((_, i) => i % every === 0)
        .map(([count, value], i) => (
          <circle key={i} cx={x(count)} cy={y(value)} r="2.5" className="load-dot" />
        ))}
      <path
        d={linePath(
          curve.filter(([count]) => count <= mostSeen),
          scales,
          Number.POSITIVE_INFINITY,
        )}
        className="ev-line load-law"
      />
      <path d={linePath(beyond(curve, mostSeen), scales, Number.POSITIVE_INFINITY)} className="ev-line load-law load-beyond" />
      {peak === null || peak > most ? null : (
        <g>
          <line x1={x(peak)} x2={x(peak)} y1={14} y2={floor} className="ev-change" />
          <text x={x(peak) + (isLate ? -6 : 6)} y={24} textAnchor={isLate ? 'end' : 'start'} className="chart-tick">
            peak
          </text>
        </g>
      )}
      <circle cx={x(now[0])} cy={y(now[1])} r="4.5" className="load-now" />
      {asked === null ? null : (
        <g>
          <path d={bar(x(asked.concurrency), y(Math.max(0, asked.lower)), y(asked.upper))} className="load-interval" />
          <path d={diamond(x(asked.concurrency), y(asked.value))} className="load-asked" />
        </g>
      )}
    </svg>
  );
}

/** What lies beyond the measurements, joined to the last point within them. */
function beyond(curve: readonly Pair[], mostSeen: number): readonly Pair[] {
  const first = curve.findIndex(([count]) => count > mostSeen);
  return first < 0 ? [] : curve.slice(Math.max(0, first - 1));
}
