import { useQuery } from '@tanstack/react-query';
import { timelineQuery } from '../api/queries.ts';
import { lengthText, windowText } from '../figures/length.ts';
import { t } from '../language/t.ts';
import { useNowStep } from '../shell/now.ts';
import { Strip } from './strip.tsx';

/** The strip moves on by half a pixel, but not more often than every five seconds. */
const MOST_STEPS = 480;
const LEAST_STEP_MS = 5_000;
const MOST_STEP_MS = 30_000;
const WIDTH = 240;
const HEIGHT = 16;

/** The last stretch of a service, for a row of a list. */
export function MiniTimeline({ service, lengthMs }: { readonly service: string; readonly lengthMs: number }) {
  const toMs = useNowStep(Math.min(MOST_STEP_MS, Math.max(LEAST_STEP_MS, lengthMs / MOST_STEPS)));
  const { data } = useQuery(timelineQuery(service, toMs - lengthMs, toMs));
  if (data === undefined) return <span className="mini-timeline" />;
  const { down_ms: down, unknown_ms: unknown, degraded_ms: degraded } = data.buckets;
  const parts = [
    down > 0 ? t('down {length}', { length: lengthText(down) }) : '',
    degraded > 0 ? t('degraded {length}', { length: lengthText(degraded) }) : '',
    unknown > 0 ? t('unknown {length}', { length: lengthText(unknown) }) : '',
  ].filter((part) => part !== '');
  const words = t('Last {length}: {what}', {
    length: windowText(lengthMs),
    what: parts.length === 0 ? t('up throughout') : parts.join(', '),
  });
  return (
    <span className="mini-timeline" role="img" aria-label={words} title={words}>
      <Strip intervals={data.intervals} view={{ fromMs: toMs - lengthMs, toMs }} width={WIDTH} height={HEIGHT} />
    </span>
  );
}

const STRETCHES_MS = [10 * 60_000, 3_600_000, 6 * 3_600_000, 86_400_000] as const;
const DAY_MS = 86_400_000;

/** The stretch that the strips of one list share: the shortest that shows all of the oldest service, at most a day. */
export function sharedStretchMs(services: readonly { readonly monitored_since_at_ms: number | null }[], nowMs: number): number {
  const oldestMs = Math.min(nowMs, ...services.map((service) => service.monitored_since_at_ms ?? nowMs));
  return STRETCHES_MS.find((stretchMs) => nowMs - oldestMs <= stretchMs) ?? DAY_MS;
}
