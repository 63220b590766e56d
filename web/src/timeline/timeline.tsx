import { useElementSize } from '@mantine/hooks';
import { type KeyboardEvent, type ReactNode, useState } from 'react';
import { exactInstant, tickText } from '../figures/instant.ts';
import { lengthText, windowText } from '../figures/length.ts';
import { t } from '../language/t.ts';
import { StateMark } from '../states/state-mark.tsx';
import { useNow } from '../shell/now.ts';
import { type Stretch, intervalSentence, whyText } from './interval-words.ts';
import { Strip } from './strip.tsx';
import { useDrag } from './use-drag.ts';
import { type View, intervalAt, panView, ticksOf, zoomView } from './view.ts';

type Props<Interval extends Stretch> = {
  readonly name: string;
  readonly intervals: readonly Interval[];
  readonly view: View;
  /** How far back and forth the view may go. */
  readonly limit: View;
  readonly onView: (view: View) => void;
  /** The instant whose interval is open; the address carries it. */
  readonly openAtMs: number | null;
  readonly onOpen: (atMs: number | null) => void;
  /** Everything about the open interval. */
  readonly evidence: (interval: Interval, close: () => void) => ReactNode;
};

const HEIGHT = 48;
const ZOOM = 0.5;
const PAN = 0.5;

/**
 * The time line of a service: the ledger's exact intervals, from ninety days down to a second. Drag to zoom, click an
 * interval for its evidence; with the keyboard the arrows walk the intervals, + and − zoom, Enter opens.
 */
export function Timeline<Interval extends Stretch>(props: Props<Interval>) {
  const { name, intervals, view, limit, onView, openAtMs, onOpen, evidence } = props;
  const { ref, width } = useElementSize<HTMLDivElement>();
  const [chosen, setChosen] = useState<number | null>(null);
  const now = useNow();
  const byStart = (fromMs: number | null) => intervals.findIndex((interval) => interval.from_at_ms === fromMs);
  const openIndex = openAtMs === null ? -1 : intervalAt(intervals, openAtMs);
  const current = [byStart(chosen), openIndex].find((index) => index >= 0) ?? intervals.length - 1;
  const interval = intervals[current];
  const opened = intervals[openIndex];
  const toggle = (index: number) => {
    const start = intervals[index]?.from_at_ms ?? null;
    setChosen(start);
    onOpen(index === openIndex ? null : start);
  };
  const drag = useDrag({ view, width, onSelect: onView, onClick: (atMs) => toggle(intervalAt(intervals, atMs)) });
  const onKeyDown = (event: KeyboardEvent) => {
    const centreMs = interval === undefined ? (view.fromMs + view.toMs) / 2 : (interval.from_at_ms + interval.to_at_ms) / 2;
    const step = (to: number) => setChosen(intervals[Math.min(intervals.length - 1, Math.max(0, to))]?.from_at_ms ?? null);
    const actions: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => step(current - 1),
      ArrowRight: () => step(current + 1),
      Home: () => step(0),
      End: () => step(intervals.length - 1),
      '+': () => onView(zoomView(view, { factor: ZOOM, centreMs, limit })),
      '-': () => onView(zoomView(view, { factor: 1 / ZOOM, centreMs, limit })),
      Enter: () => toggle(current),
      Escape: () => onOpen(null),
    };
    const action = actions[event.key === '=' ? '+' : event.key];
    if (action === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };
  const hovered = drag.hoverMs === null ? undefined : intervals[intervalAt(intervals, drag.hoverMs)];
  return (
    <div className="timeline">
      <div
        ref={ref}
        className="timeline-strip"
        role="slider"
        tabIndex={0}
        aria-label={t('Time line of {name}; arrows walk the intervals, plus and minus zoom, Enter opens the evidence', { name })}
        aria-valuemin={1}
        aria-valuemax={Math.max(1, intervals.length)}
        aria-valuenow={current + 1}
        aria-valuetext={interval === undefined ? t('nothing known') : intervalSentence(interval, now)}
        onKeyDown={onKeyDown}
        {...drag.handlers}
      >
        {width > 0 ? (
          <Strip intervals={intervals} view={view} width={width} height={HEIGHT} selected={chosen === null ? openIndex : current} />
        ) : null}
        {drag.selection === null ? null : (
          <div className="timeline-selection" style={{ left: drag.selection.x, width: drag.selection.width }} />
        )}
        {hovered === undefined || drag.hoverMs === null ? null : <Hover interval={hovered} atMs={drag.hoverMs} view={view} />}
      </div>
      <Axis view={view} width={width} />
      <TimelineButtons view={view} limit={limit} onView={onView} />
      {opened === undefined ? null : evidence(opened, () => onOpen(null))}
    </div>
  );
}

function Hover({ interval, atMs, view }: { readonly interval: Stretch; readonly atMs: number; readonly view: View }) {
  const now = useNow();
  const share = (atMs - view.fromMs) / (view.toMs - view.fromMs);
  const why = whyText(interval);
  const side = share > 0.6 ? { right: `${(1 - share) * 100}%` } : { left: `${share * 100}%` };
  return (
    <div className="timeline-hover" style={side} aria-hidden="true">
      <div>
        <StateMark state={interval.state} />
        <span className="soft">{` ${t('for {length}', { length: lengthText(interval.to_at_ms - interval.from_at_ms) })}`}</span>
      </div>
      <div className="faint">{`${exactInstant(interval.from_at_ms, now)} – ${exactInstant(interval.to_at_ms, now)}`}</div>
      {why === '' ? null : <div>{why}</div>}
      <div className="faint">{t('Click for the evidence.')}</div>
    </div>
  );
}

/** Ticks need this much room each. */
const TICK_PX = 88;

function Axis({ view, width }: { readonly view: View; readonly width: number }) {
  const offsetMs = -new Date(view.toMs).getTimezoneOffset() * 60_000;
  const ticks = ticksOf(view, Math.max(2, width / TICK_PX), offsetMs);
  return (
    <div className="timeline-axis" aria-hidden="true">
      {ticks.atMs.map((atMs) => {
        const share = (atMs - view.fromMs) / (view.toMs - view.fromMs);
        return share > 0.96 ? null : (
          <span key={atMs} style={{ left: `${share * 100}%` }}>
            {tickText(atMs, ticks.stepMs)}
          </span>
        );
      })}
    </div>
  );
}

function TimelineButtons({ view, limit, onView }: Pick<Props<Stretch>, 'view' | 'limit' | 'onView'>) {
  const centreMs = (view.fromMs + view.toMs) / 2;
  const buttons = [
    { label: t('Earlier'), sign: '←', act: () => panView(view, -PAN, limit), off: view.fromMs <= limit.fromMs },
    { label: t('Later'), sign: '→', act: () => panView(view, PAN, limit), off: view.toMs >= limit.toMs },
    { label: t('Closer'), sign: '+', act: () => zoomView(view, { factor: ZOOM, centreMs, limit }), off: view.toMs - view.fromMs <= 1_000 },
    {
      label: t('Wider'),
      sign: '−',
      act: () => zoomView(view, { factor: 1 / ZOOM, centreMs, limit }),
      off: view.fromMs <= limit.fromMs && view.toMs >= limit.toMs,
    },
  ];
  return (
    <div className="timeline-buttons no-print">
      <span className="faint">{t('{length} shown; drag to look closer', { length: windowText(view.toMs - view.fromMs) })}</span>
      <span className="row-wrap">
        {buttons.map(({ label, sign, act, off }) => (
          <button
            key={label}
            type="button"
            className="step-button"
            disabled={off}
            aria-label={label}
            title={label}
            onClick={() => onView(act())}
          >
            {sign}
          </button>
        ))}
      </span>
    </div>
  );
}
