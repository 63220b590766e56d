import { messageOf } from '@nines/base/errors.ts';
import { DAY_MS, type EpochMs, epochMs } from '@nines/base/units.ts';
import { isZone } from '@nines/maths/calendar/zone.ts';
import { Cron } from 'croner';

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
  if (period !== undefined) return epochMs(afterMs + period);
  const next = new Cron(cron ?? '', { timezone: zone }).nextRun(new Date(afterMs));
  if (next === null) throw new Error(`the cron expression ${cron} has no instant after ${new Date(afterMs).toISOString()}`);
  return epochMs(next.getTime());
}

export function cronFault(cron: string, zone: string): { readonly field: 'cron' | 'zone'; readonly message: string } | undefined {
  if (!isZone(zone)) return { field: 'zone', message: `not a time zone: "${zone}" (write for example Europe/Zurich)` };
  try {
    const next = new Cron(cron, { timezone: zone }).nextRuns(2, new Date(GAP_FROM_MS));
    return next.length === 2 ? undefined : { field: 'cron', message: `"${cron}" comes at most once` };
  } catch (thrown) {
    return { field: 'cron', message: `not a cron expression: ${messageOf(thrown)}` };
  }
}

/** A leap year and the one after, from a Monday on. */
const GAP_FROM_MS = Date.UTC(2024, 0, 1);
const GAP_UNTIL_MS = Date.UTC(2025, 2, 1);
const GAP_RUNS = 100;
/** Expressions whose gaps are remembered; finding one takes up to a fifth of a second, and every reload asks for all. */
const MAX_REMEMBERED = 1_000;
const gaps = new Map<string, number>();

/**
 * An upper bound of the time between two instants of a cron expression: exact for what comes often and evenly, at most a day too long
 * for what pauses at times.
 */
export function longestGapMs(cron: string, zone: string): number {
  const key = `${zone} ${cron}`;
  const known = gaps.get(key);
  if (known !== undefined) return known;
  const found = findLongestGap(new Cron(cron, { timezone: zone }));
  if (gaps.size >= MAX_REMEMBERED) gaps.clear();
  gaps.set(key, found);
  return found;
}

function findLongestGap(job: Cron): number {
  const runs = job.nextRuns(GAP_RUNS, new Date(GAP_FROM_MS)).map((run) => run.getTime());
  let longestMs = Math.max(...runs.slice(1).map((run, index) => run - (runs[index] ?? run)));
  // From run to run where they are days apart, from day to day where they are not.
  for (let fromMs = GAP_FROM_MS, isRun = false; fromMs < GAP_UNTIL_MS; ) {
    const nextMs = job.nextRun(new Date(fromMs))?.getTime();
    if (nextMs === undefined) break;
    if (nextMs - fromMs > longestMs) longestMs = nextMs - fromMs + (isRun ? 0 : DAY_MS);
    isRun = nextMs >= fromMs + DAY_MS;
    fromMs = isRun ? nextMs : fromMs + DAY_MS;
  }
  return longestMs;
}
