/**
 * Maintenance windows: when somebody will work on services, said before. They lie on top of the ledger and never change it: a contract
 * says whether their time counts. What was announced, and when, is kept for ever; nothing is announced after the fact.
 * Alerts about a service in maintenance are shown and kept from people, unless the window says otherwise.
 */
import { formatDuration } from '@nines/base/duration.ts';
import { type EpochMs, DAY_MS, MINUTE_MS } from '@nines/base/units.ts';
import { parseInstant } from '@nines/base/instant.ts';
import { parseCron } from '@nines/maths/calendar/cron.ts';
import { unknownZone } from '@nines/maths/calendar/period.ts';
import { type Recurrence, shortestGapMs } from '@nines/maths/calendar/recurrence.ts';
import { parseRrule } from '@nines/maths/calendar/rrule.ts';
import { isZone } from '@nines/maths/calendar/zone.ts';
import type { PlannedSpan } from '@nines/maths/slo/maintenance.ts';
import { z } from 'zod';
import { duration, slug, uniqueIds } from '../platform/config/fields.ts';

export const MAINTENANCE_CODES = {
  notFound: 'maintenance_not_found',
  exists: 'maintenance_exists',
  ownedByFile: 'maintenance_owned_by_file',
  invalid: 'maintenance_invalid',
} as const;

/** Bounds of one installation. */
const MAX_WINDOWS = 1_000;
const MAX_SERVICES = 1_000;
/** Longer work is a project, not a window. */
const MAX_LENGTH_MS = 31 * DAY_MS;

/** A window in its stored form: plain JSON, snake case. */
export type MaintenanceSpec = {
  readonly id: string;
  readonly name: string;
  readonly services: readonly string[];
  readonly suppress_alerts: boolean;
  readonly schedule: ScheduleSpec;
};
export type ScheduleSpec =
  | { readonly kind: 'once'; readonly from_at_ms: number; readonly to_at_ms: number }
  | { readonly kind: 'cron'; readonly expression: string; readonly zone: string; readonly duration_ms: number }
  | {
      readonly kind: 'rrule';
      readonly rule: string;
      /** Wall clock of the zone as if it were UTC. */
      readonly start_wall_ms: number;
      readonly zone: string;
      readonly duration_ms: number;
    };

const instant = z.string().transform((text, context): EpochMs => {
  const parsed = parseInstant(text);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error });
  return z.NEVER;
});

const WALL_CLOCK = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2})?$/;
const wallClock = z.string().transform((text, context): number => {
  const [, day, time, seconds] = WALL_CLOCK.exec(text) ?? [];
  const wallMs = Date.parse(`${day}T${time}${seconds ?? ':00'}Z`);
  if (day !== undefined && !Number.isNaN(wallMs) && new Date(wallMs).toISOString().startsWith(day)) return wallMs;
  context.addIssue({ code: 'custom', message: `not a wall clock: "${text}" (write for example 2026-01-04 02:00, without a zone)` });
  return z.NEVER;
});

const written = z.strictObject({
  id: slug,
  name: z.string().min(1).max(200).optional(),
  services: z.array(slug).min(1).max(MAX_SERVICES),
  /** Once: both. */
  from: instant.optional(),
  to: instant.optional(),
  /** Again and again: one of the two, and how long. */
  cron: z.string().max(200).optional(),
  rrule: z.string().max(500).optional(),
  /** The first occurrence of a `rrule`, in the zone's wall clock. */
  start: wallClock.optional(),
  zone: z.string().max(100).optional(),
  duration: duration({ minMs: MINUTE_MS, maxMs: MAX_LENGTH_MS }).optional(),
  suppress_alerts: z.boolean().default(true),
});
export type WrittenMaintenance = z.input<typeof written>;
type Fields = z.output<typeof written>;
type Refuse = (message: string, field: keyof Fields) => void;

/** One window, as it is written in the file or sent to the API. */
export const maintenanceSchema = written.transform((fields, context): MaintenanceSpec => {
  const refuse: Refuse = (message, field) => context.addIssue({ code: 'custom', message, path: [field] });
  const schedule = scheduleOf(fields, refuse);
  if (schedule === undefined) return z.NEVER;
  return {
    id: fields.id,
    name: fields.name ?? fields.id,
    services: [...new Set(fields.services)],
    suppress_alerts: fields.suppress_alerts,
    schedule,
  };
});

/** A window as a person writes it. */
export function writtenMaintenanceOf({ id, name, services, suppress_alerts, schedule }: MaintenanceSpec): WrittenMaintenance {
  const shared = { id, name, services: [...services], suppress_alerts };
  if (schedule.kind === 'once')
    return { ...shared, from: new Date(schedule.from_at_ms).toISOString(), to: new Date(schedule.to_at_ms).toISOString() };
  const again = { zone: schedule.zone, duration: formatDuration(schedule.duration_ms) };
  if (schedule.kind === 'cron') return { ...shared, cron: schedule.expression, ...again };
  return { ...shared, rrule: schedule.rule, start: new Date(schedule.start_wall_ms).toISOString().slice(0, 19), ...again };
}

function scheduleOf(fields: Fields, refuse: Refuse): ScheduleSpec | undefined {
  const kinds = (['from', 'cron', 'rrule'] as const).filter((kind) => fields[kind] !== undefined);
  if (kinds.length !== 1) {
    refuse('write either `from` and `to`, or `cron`, or `rrule` with `start`', kinds[1] ?? 'from');
    return undefined;
  }
  return kinds[0] === 'from' ? onceOf(fields, refuse) : recurringOf(fields, refuse);
}

function onceOf({ id, from, to, ...others }: Fields, refuse: Refuse): ScheduleSpec | undefined {
  const stray = (['zone', 'duration', 'start'] as const).find((field) => others[field] !== undefined);
  if (stray !== undefined) refuse(`\`${stray}\` belongs to windows that come again; this one has \`from\` and \`to\``, stray);
  else if (from === undefined || to === undefined) refuse(`the maintenance "${id}" has no end: write \`to\``, 'to');
  else if (from >= to) refuse(`the maintenance "${id}" ends before it begins`, 'to');
  else if (to - from > MAX_LENGTH_MS) refuse(`the maintenance "${id}" is longer than 31 days`, 'to');
  else return { kind: 'once', from_at_ms: from, to_at_ms: to };
  return undefined;
}

function recurringOf(fields: Fields, refuse: Refuse): ScheduleSpec | undefined {
  const { id, cron, rrule, start, to, zone = 'UTC', duration: lengthMs } = fields;
  if (to !== undefined) refuse('`to` belongs to a window that comes once; write `duration`', 'to');
  else if (!isZone(zone)) refuse(unknownZone(zone), 'zone');
  else if (lengthMs === undefined) refuse(`how long does the maintenance "${id}" last? Write \`duration\``, 'duration');
  else if (rrule !== undefined && start === undefined) refuse('a `rrule` counts from its `start`: write the first window', 'start');
  else if (rrule === undefined && start !== undefined) refuse('`start` belongs to `rrule`', 'start');
  else {
    const spec: ScheduleSpec =
      rrule === undefined
        ? { kind: 'cron', expression: cron ?? '', zone, duration_ms: lengthMs }
        : { kind: 'rrule', rule: rrule, start_wall_ms: start ?? 0, zone, duration_ms: lengthMs };
    const recurrence = readSchedule(spec);
    const field = rrule === undefined ? 'cron' : 'rrule';
    if (typeof recurrence === 'string') refuse(recurrence, field);
    else if (shortestGapMs(recurrence.when, Math.floor((start ?? 0) / DAY_MS)) < lengthMs)
      refuse(`the windows of the maintenance "${id}" overlap: it lasts longer than from one to the next`, 'duration');
    else return spec;
  }
  return undefined;
}

/** The recurrence of a schedule that comes again, or what is wrong with it. */
function readSchedule(spec: Exclude<ScheduleSpec, { readonly kind: 'once' }>): Recurrence | string {
  const { zone, duration_ms: durationMs } = spec;
  if (spec.kind === 'cron') {
    const cron = parseCron(spec.expression);
    return cron.ok ? { when: { kind: 'cron', cron: cron.value }, zone, durationMs } : cron.error;
  }
  const rule = parseRrule(spec.rule, spec.start_wall_ms);
  return rule.ok ? { when: { kind: 'rrule', rule: rule.value }, zone, durationMs } : rule.error;
}

/** The recurrence of a stored schedule; undefined for one that comes once. */
export function recurrenceOf(spec: ScheduleSpec): Recurrence | undefined {
  if (spec.kind === 'once') return undefined;
  const read = readSchedule(spec);
  if (typeof read === 'string') throw new Error(`a schedule that was checked, found: ${read}`);
  return read;
}

/** The section `maintenance`. */
export const maintenanceConfig = z
  .array(maintenanceSchema)
  .max(MAX_WINDOWS)
  .superRefine(uniqueIds('maintenance'))
  .superRefine((specs, context) => {
    for (const { index, message } of overlaps(specs)) context.addIssue({ code: 'custom', message, path: [index] });
  })
  .default([]);

/** Windows that come once, about one service, at the same time: one of them is a mistake. */
function overlaps(specs: readonly MaintenanceSpec[]): readonly { readonly index: number; readonly message: string }[] {
  return specs.flatMap((spec, index) => {
    const other = specs.slice(0, index).find((before) => overlapsOnce(before, spec));
    if (other === undefined) return [];
    const service = spec.services.find((id) => other.services.includes(id));
    return [{ index, message: `the maintenance "${spec.id}" overlaps "${other.id}" for the service "${service}"` }];
  });
}

/** Whether two windows that come once are at the same time for some service. */
export function overlapsOnce(a: MaintenanceSpec, b: MaintenanceSpec): boolean {
  if (a.schedule.kind !== 'once' || b.schedule.kind !== 'once') return false;
  return (
    a.schedule.from_at_ms < b.schedule.to_at_ms &&
    b.schedule.from_at_ms < a.schedule.to_at_ms &&
    a.services.some((id) => b.services.includes(id))
  );
}

/** Services that nobody declared. Paths are within the section `maintenance`. */
export function unknownMaintained(
  specs: readonly MaintenanceSpec[],
  services: ReadonlySet<string>,
): readonly { readonly path: readonly (string | number)[]; readonly message: string }[] {
  return specs.flatMap((spec, index) => {
    const unknown = spec.services.filter((id) => !services.has(id));
    return unknown.map((id) => ({
      path: [index, 'services', spec.services.indexOf(id)],
      message: `the maintenance "${spec.id}" is about "${id}", which is no declared service`,
    }));
  });
}

/** One time that a window comes, as far as it is in force: from when it was recorded until it was ended. */
export type Occurrence = PlannedSpan & {
  readonly window: string;
  readonly name: string;
  readonly services: readonly string[];
  readonly suppressAlerts: boolean;
};

export type OccurrenceFilter = {
  readonly service?: string;
  readonly fromMs: EpochMs;
  readonly toMs: EpochMs;
  /** What had been announced by then; absent: by now. */
  readonly knownAtMs?: EpochMs;
};

export interface Maintenance {
  /** Occurrences that overlap `[fromMs, toMs)`, ascending. */
  occurrences(filter: OccurrenceFilter): readonly Occurrence[];
}

export const occurrenceView = z.object({
  window: z.string(),
  name: z.string(),
  services: z.array(z.string()),
  from_at_ms: z.number(),
  to_at_ms: z.number(),
  announced_at_ms: z.number(),
});
export type OccurrenceView = z.infer<typeof occurrenceView>;

export const occurrenceToWire = (one: Occurrence): OccurrenceView => ({
  window: one.window,
  name: one.name,
  services: [...one.services],
  from_at_ms: one.fromMs,
  to_at_ms: one.toMs,
  announced_at_ms: one.announcedAtMs,
});

/** The shape of `GET /api/maintenance` items. */
export const maintenanceView = z.object({
  id: z.string(),
  name: z.string(),
  services: z.array(z.string()),
  suppress_alerts: z.boolean(),
  schedule: z.unknown(),
  announced_at_ms: z.number(),
  /** The occurrence that goes on, or the next one within a year. */
  next: occurrenceView.nullable(),
  active: z.boolean(),
  /** `ui`, or the place in the configuration file. */
  origin: z.string(),
});
export type MaintenanceView = z.infer<typeof maintenanceView>;
