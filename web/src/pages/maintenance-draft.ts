/** A maintenance window as a person types it, and as the server takes it. Pure but for the reader's time zone. */
import type { ScheduleSpec, WindowView, WrittenMaintenance } from '../api/maintenance.ts';
import { timeZone } from '../figures/instant.ts';
import { windowText } from '../figures/length.ts';
import { localTime } from '../figures/local-time.ts';
import { slugOf } from './service-draft.ts';

export type Kind = ScheduleSpec['kind'];
export type Draft = {
  readonly name: string;
  readonly services: readonly string[];
  readonly kind: Kind;
  /** What a `datetime-local` field holds: `2026-11-22T02:00`, in the reader's zone. */
  readonly from: string;
  readonly to: string;
  readonly cron: string;
  readonly rrule: string;
  /** The first window of a rule, in the clock of its zone. */
  readonly start: string;
  readonly zone: string;
  readonly duration: string;
  readonly suppress: boolean;
};

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const localText = (atMs: number): string => localTime(atMs, 'minute');

/** The next full hour but one, for an hour: what is announced now is announced for later. */
export function emptyDraft(nowMs: number, services: readonly string[]): Draft {
  const fromMs = (Math.floor(nowMs / HOUR_MS) + 2) * HOUR_MS;
  return {
    name: '',
    services,
    kind: 'once',
    from: localText(fromMs),
    to: localText(fromMs + HOUR_MS),
    cron: '30 2 * * sun',
    rrule: 'FREQ=MONTHLY;BYDAY=1SU',
    start: localText(fromMs),
    zone: timeZone,
    duration: '1h',
    suppress: true,
  };
}

const UNITS = [
  ['d', 24 * HOUR_MS],
  ['h', HOUR_MS],
  ['m', MINUTE_MS],
  ['s', 1000],
] as const;
function durationText(lengthMs: number): string {
  let left = lengthMs;
  const parts = UNITS.flatMap(([unit, ms]) => {
    const count = Math.floor(left / ms);
    left -= count * ms;
    return count === 0 ? [] : `${count}${unit}`;
  });
  return parts.join('');
}

/** An announced window as a draft, to be changed. */
export function draftOf(window: WindowView, nowMs: number): Draft {
  const base = { ...emptyDraft(nowMs, window.services), name: window.name, suppress: window.suppress_alerts, kind: window.schedule.kind };
  const { schedule } = window;
  if (schedule.kind === 'once') return { ...base, from: localText(schedule.from_at_ms), to: localText(schedule.to_at_ms) };
  const again = { zone: schedule.zone, duration: durationText(schedule.duration_ms) };
  if (schedule.kind === 'cron') return { ...base, ...again, cron: schedule.expression };
  return { ...base, ...again, rrule: schedule.rule, start: new Date(schedule.start_wall_ms).toISOString().slice(0, 16) };
}

/** What is sent; `id` is that of the window that is changed. The server refuses what cannot be. */
export function windowOf(draft: Draft, id?: string): WrittenMaintenance {
  const { name, services, kind, zone, duration, suppress } = draft;
  const instant = (text: string): string => (text === '' ? '' : new Date(text).toISOString());
  const again = { zone, duration };
  return {
    id: id ?? slugOf(name),
    name: name.trim(),
    services: [...services],
    suppress_alerts: suppress,
    ...(kind === 'once' ? { from: instant(draft.from), to: instant(draft.to) } : again),
    ...(kind === 'cron' ? { cron: draft.cron } : {}),
    ...(kind === 'rrule' ? { rrule: draft.rrule, start: draft.start } : {}),
  };
}

/** `once`, or the rule with its zone and length. */
export function scheduleText(schedule: ScheduleSpec): string {
  if (schedule.kind === 'once') return 'once';
  const rule = schedule.kind === 'cron' ? schedule.expression : schedule.rule;
  return `${rule}, ${windowText(schedule.duration_ms)}, ${schedule.zone}`;
}
