/**
 * Who is to be woken. People and how they are reached; schedules, whose layers take turns; overrides, which win over all layers. Who is on
 * call at an instant is one pure function of these (evaluate.ts) that says why; nothing is generated ahead and nothing runs out.
 * Hand-overs are at local times of the schedule's zone; what the clocks skip or show twice is read by the rule of RFC 5545.
 * Must never send anything about an alert, nor decide that somebody is reached when nobody is: that is a gap, and it is said.
 */
import { parseDuration } from '@nines/base/duration.ts';
import { DAY_MS, type EpochMs, HOUR_MS } from '@nines/base/units.ts';
import { parseWallClock } from '@nines/maths/calendar/anchored.ts';
import { z } from 'zod';
import { duration, plainText, slug, uniqueIds } from '../platform/config/fields.ts';
import { WEEKDAYS, weeklyHoursSchema, zone } from '../platform/config/hours.ts';

export type { CalendarView, OverrideView, PersonView, ScheduleView, ShiftsView, WhoView } from './views.ts';

export const ONCALL_CODES = {
  personNotFound: 'person_not_found',
  personExists: 'person_exists',
  personUsed: 'person_used',
  scheduleNotFound: 'schedule_not_found',
  scheduleExists: 'schedule_exists',
  ownedByFile: 'oncall_owned_by_file',
  overrideNotFound: 'override_not_found',
  overrideConflict: 'override_conflict',
  calendarNotFound: 'calendar_not_found',
  changed: 'revision_conflict',
  invalid: 'oncall_invalid',
} as const;

/** Bounds of one installation. */
const MAX_PEOPLE = 5_000;
const MAX_SCHEDULES = 500;
const MAX_LAYERS = 20;
const MAX_MEMBERS = 200;
const MAX_CONTACTS = 20;
/** The shortest shift: no clocks but those of a zone that moves over the date line jump farther than this. */
const MIN_SHIFT_MS = HOUR_MS;
const MAX_SHIFT_MS = 366 * DAY_MS;

/** How a person is reached: through a channel, at an address of their own where the channel takes one. */
export type Contact = { readonly channel: string; readonly to?: string | undefined };
export type Person = {
  readonly id: string;
  readonly name: string;
  /** IANA; what they are told is in their time. */
  readonly zone: string;
  /** In the order in which they are tried. */
  readonly contacts: readonly Contact[];
  /** The name under which they sign in. */
  readonly user?: string | undefined;
};

/** Reads for other domains. */
export interface People {
  get(id: string): Person | undefined;
  /** By id. */
  list(): readonly Person[];
}

export interface OnCall {
  /**
   * Who is on call at an instant and why, in words. Nobody, with the reason, when no layer has anybody then, the schedule is unknown, or it
   * names people whom nobody declared. Never throws: whoever asks has somebody to wake.
   */
  whoAt(scheduleId: string, atMs: EpochMs): OnCallAnswer;
}
export type OnCallAnswer = { readonly people: readonly Person[]; readonly reason: string };

const contact = z.strictObject({ channel: z.string().min(1).max(100), to: z.string().min(1).max(500).optional() });

/** A person, as written in the file or sent to the API. */
export const personSchema = z.strictObject({
  id: slug,
  name: plainText.min(1).max(200),
  zone: zone.default('UTC'),
  contacts: z.array(contact).max(MAX_CONTACTS).default([]),
  user: z.string().min(1).max(100).optional(),
});

/** `daily`, `weekly`, or a length such as `12h`, `3d`, `2w`. */
const rotation = z.string().superRefine((text, context) => {
  const parsed = shiftLengthMs(text);
  if (typeof parsed === 'string') context.addIssue({ code: 'custom', message: parsed });
});

/** The length of a shift on the zone's clocks, or what is wrong with its text. */
export function shiftLengthMs(text: string): number | string {
  if (text === 'daily') return DAY_MS;
  if (text === 'weekly') return 7 * DAY_MS;
  const parsed = parseDuration(text);
  if (!parsed.ok) return `not a rotation: "${text}" (write daily, weekly, or a length such as 12h, 3d or 2w)`;
  return parsed.value < MIN_SHIFT_MS || parsed.value > MAX_SHIFT_MS
    ? `a shift of ${text} is out of range: it lasts from an hour to a year`
    : parsed.value;
}

export type Handover = {
  /** From Monday, 0; absent: every day. */
  readonly weekday: number | undefined;
  /** After midnight. */
  readonly timeMs: number;
};
const HANDOVER = /^(?:([a-z]{3})[a-z]* )?(\d{2}):(\d{2})$/;

/** Reads `09:00` or `monday 09:00` (also `mon`). */
export function readHandover(text: string): Handover | string {
  const [, day, hour, minute] = HANDOVER.exec(text.trim().toLowerCase()) ?? [];
  const weekday = day === undefined ? undefined : WEEKDAYS.findIndex((name) => name === day);
  if (hour === undefined || Number(hour) > 23 || Number(minute) > 59 || weekday === -1) {
    return `not a time of hand-over: "${text}" (write 09:00, or monday 09:00)`;
  }
  return { weekday, timeMs: Number(hour) * HOUR_MS + Number(minute) * 60_000 };
}

const handover = z.string().superRefine((text, context) => {
  const read = readHandover(text);
  if (typeof read === 'string') context.addIssue({ code: 'custom', message: read });
});

const wallClock = z.string().superRefine((text, context) => {
  const parsed = parseWallClock(text);
  if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.error });
});

const layer = z
  .strictObject({
    name: plainText.min(1).max(100),
    rotation: rotation.default('weekly'),
    /** When the first shift begins and from when on the layer counts: a wall clock of its zone. */
    start: wallClock,
    end: wallClock.optional(),
    /** When shifts change; absent: at the time, and for weeks on the weekday, of `start`. */
    handover: handover.optional(),
    /** Whose clocks `start`, `handover` and `hours` mean; absent: those of the schedule. */
    zone: zone.optional(),
    /** Nobody of this layer is on call outside of these. */
    hours: weeklyHoursSchema.optional(),
    /** They take turns in this order; a list in it is a shift that several have together. */
    members: z
      .array(z.union([slug, z.array(slug).min(1).max(20)]))
      .min(1, 'a layer needs somebody')
      .max(MAX_MEMBERS),
  })
  .superRefine((written, context) => {
    const fault = layerFault(written);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault.message, path: [fault.field] });
  });
export type LayerSpec = z.output<typeof layer>;

function layerFault({ rotation: text, handover: at, start, end }: Omit<LayerSpec, 'members' | 'name'>) {
  const lengthMs = shiftLengthMs(text);
  const read = at === undefined ? undefined : readHandover(at);
  if (typeof read === 'object' && read.weekday !== undefined && typeof lengthMs === 'number' && lengthMs % (7 * DAY_MS) !== 0) {
    return { field: 'handover', message: `a weekday of hand-over belongs to shifts of whole weeks; this one lasts ${text}` };
  }
  const [from, to] = [parseWallClock(start), end === undefined ? undefined : parseWallClock(end)];
  if (from.ok && to?.ok === true && to.value <= from.value) return { field: 'end', message: 'the layer ends before it starts' };
  return undefined;
}

/** A schedule, as written in the file or sent to the API. */
export const scheduleSchema = z
  .strictObject({
    id: slug,
    name: plainText.min(1).max(200).optional(),
    /** Whose it is: people who see a part of the installation see the schedules of their teams. */
    team: plainText.min(1).max(100).optional(),
    zone: zone.default('UTC'),
    /** In order of precedence: the first that has somebody decides. */
    layers: z.array(layer).min(1, 'a schedule needs a layer').max(MAX_LAYERS),
    /** Whether people are told when their shifts begin and end. */
    notices: z.boolean().default(true),
    /** How long before nobody is on call an alert says so; `off` where that is meant. */
    gap_alarm: z.union([z.literal('off'), z.string().superRefine(judgeGapAlarm)]).default('24h'),
  })
  .superRefine(({ layers }, context) => {
    const names = layers.map(({ name }) => name);
    const twice = names.findIndex((name, index) => names.indexOf(name) !== index);
    if (twice >= 0)
      context.addIssue({ code: 'custom', message: `the layer "${names[twice]}" is there twice`, path: ['layers', twice, 'name'] });
  });
export type ScheduleSpec = z.output<typeof scheduleSchema>;

function judgeGapAlarm(text: string, context: z.core.$RefinementCtx): void {
  const parsed = duration({ maxMs: 31 * DAY_MS }).safeParse(text);
  if (!parsed.success) context.addIssue({ code: 'custom', message: parsed.error.issues[0]?.message ?? 'not a duration' });
}

/** Who signs in is one person, so that the page knows who takes a shift. */
function uniqueUsers(people: readonly Person[], context: z.core.$RefinementCtx): void {
  people.forEach(({ user }, index) => {
    const other = user === undefined ? undefined : people.slice(0, index).find((one) => one.user === user);
    if (other !== undefined)
      context.addIssue({ code: 'custom', message: `"${user}" signs in as "${other.id}" already`, path: [index, 'user'] });
  });
}

/** The section `oncall`. */
export const oncallConfig = z
  .strictObject({
    people: z.array(personSchema).max(MAX_PEOPLE).superRefine(uniqueIds('person')).superRefine(uniqueUsers).default([]),
    schedules: z.array(scheduleSchema).max(MAX_SCHEDULES).superRefine(uniqueIds('schedule')).default([]),
  })
  .prefault({});
export type OncallConfig = z.output<typeof oncallConfig>;

export const membersOf = ({ layers }: ScheduleSpec): ReadonlySet<string> => new Set(layers.flatMap(({ members }) => members.flat()));

/** Contacts that reach nobody, and members whom nobody declared. Paths are within the section `oncall`. `faultOf` says what is wrong with a contact. */
export function unknownToOncall(
  { people, schedules }: OncallConfig,
  faultOf: (contact: Contact) => string | undefined,
): readonly { readonly path: readonly (string | number)[]; readonly message: string }[] {
  const ids = new Set(people.map(({ id }) => id));
  const unreachable = people.flatMap(({ id, contacts }, index) =>
    contacts.flatMap((contact, at) => {
      const fault = faultOf(contact);
      return fault === undefined ? [] : [{ path: ['people', index, 'contacts', at], message: `a contact of "${id}": ${fault}` }];
    }),
  );
  const strangers = schedules.flatMap(({ id, layers }, index) =>
    layers.flatMap(({ members }, at) =>
      members.flatMap((member, turn) => {
        const unknown = (typeof member === 'string' ? [member] : member).filter((one) => !ids.has(one));
        const path = ['schedules', index, 'layers', at, 'members', turn];
        return unknown.map((one) => ({ path, message: `the schedule "${id}" names "${one}", whom nobody declared` }));
      }),
    ),
  );
  return [...unreachable, ...strangers];
}
