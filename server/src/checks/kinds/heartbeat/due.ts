import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { type Cron, parseCron } from '@nines/maths/calendar/cron.ts';
import { longestCronGapMs, nextCronMs } from '@nines/maths/calendar/cron-instants.ts';
import { isZone } from '@nines/maths/calendar/zone.ts';

/** When signals of a heartbeat are due. Pure: time is an argument. */
export type Rhythm = {
  readonly period?: number | undefined;
  readonly cron?: string | undefined;
  readonly zone: string;
  readonly grace: number;
};

/** What is known of a heartbeat's job. */
export type Beat = {
  /** The last signal that ended a run; before the first, when waiting began. */
  readonly sinceMs: EpochMs;
  /** When the run under way began, if it said so. */
  readonly runSinceMs: EpochMs | undefined;
};

/** What happens when nothing comes: at `deadlineMs` the job counts as down from `downFromMs` on. */
export type Expectation = {
  readonly dueMs: EpochMs;
  readonly deadlineMs: EpochMs;
  readonly downFromMs: EpochMs;
  readonly code: 'missing' | 'unfinished';
};

/**
 * The next signal that can be missed. What was due before `awakeSinceMs` may have come while we were not there to hear it, and is
 * passed over.
 */
export function expectationOf(rhythm: Rhythm, beat: Beat, awakeSinceMs: EpochMs): Expectation {
  let dueMs = nextDue(rhythm, beat.sinceMs);
  if (dueMs < awakeSinceMs) {
    const { period } = rhythm;
    // For a period by arithmetic: years of seconds must not be counted one by one. The instant before, so that a due at it counts.
    dueMs =
      period === undefined
        ? nextDue(rhythm, epochMs(awakeSinceMs - 1))
        : epochMs(beat.sinceMs + Math.ceil((awakeSinceMs - beat.sinceMs) / period) * period);
  }
  const { runSinceMs } = beat;
  if (runSinceMs === undefined) return { dueMs, deadlineMs: epochMs(dueMs + rhythm.grace), downFromMs: dueMs, code: 'missing' };
  // A run that began has the grace to end; it cannot be down before it would have had to end or to come.
  const endMs = epochMs(runSinceMs + rhythm.grace);
  return { dueMs, deadlineMs: endMs, downFromMs: endMs < dueMs ? endMs : dueMs, code: 'unfinished' };
}

/** The first due instant after `afterMs`. */
export function nextDue({ period, cron, zone }: Rhythm, afterMs: EpochMs): EpochMs {
  return epochMs(period === undefined ? nextCronMs(cronOf(cron ?? ''), afterMs, zone) : afterMs + period);
}

export function cronFault(cron: string, zone: string): { readonly field: 'cron' | 'zone'; readonly message: string } | undefined {
  if (!isZone(zone)) return { field: 'zone', message: `not a time zone: "${zone}" (write for example Europe/Zurich)` };
  const parsed = parseCron(cron);
  if (parsed.ok) return undefined;
  const hasSeconds = cron.trim().split(/\s+/).length === 6;
  return {
    field: 'cron',
    message: hasSeconds ? `"${cron}" has six fields: seconds are not read, write five fields, or a period` : parsed.error,
  };
}

/** An upper bound of the time between two instants of a cron expression. */
export const longestGapMs = (cron: string, zone: string): number => longestCronGapMs(cronOf(cron), zone);

function cronOf(text: string): Cron {
  const parsed = parseCron(text);
  if (!parsed.ok) throw new Error(`expected an expression that was checked, found: ${parsed.error}`);
  return parsed.value;
}
