import { DAY_MS, epochMs } from '@nines/base/units.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import { z } from 'zod';
import { type Person, type ScheduleSpec, personSchema } from './contract.ts';
import { type Asked, type Override, type Turn, gapsWithin, reasonOf, turnsOfLayerKnown, turnsWithin } from './evaluate.ts';
import type { InForce } from './standing.ts';

/** What the API shows. Instants are in milliseconds. */

const declared = {
  /** `ui`, or the place in the configuration file. */
  origin: z.string(),
  revision: z.number(),
};
/** `to` of contacts is shown to those who may change it; others see which channels. */
export const personView = personSchema.extend(declared);
export type PersonView = z.output<typeof personView>;
const hours = z.object({ weekly: z.record(z.string(), z.array(z.string()).readonly()), holidays: z.array(z.string()).readonly() });
const layer = z.object({
  name: z.string(),
  rotation: z.string(),
  start: z.string(),
  end: z.string().optional(),
  handover: z.string().optional(),
  zone: z.string().optional(),
  hours: hours.optional(),
  members: z.array(z.union([z.string(), z.array(z.string())])),
});
export const scheduleView = z.object({
  id: z.string(),
  name: z.string().optional(),
  team: z.string().optional(),
  zone: z.string(),
  layers: z.array(layer),
  notices: z.boolean(),
  gap_alarm: z.string(),
  ...declared,
});
export type ScheduleView = z.output<typeof scheduleView>;

export const overrideView = z.object({
  id: z.string(),
  person: z.string(),
  from_at_ms: z.number(),
  to_at_ms: z.number(),
  note: z.string(),
  by: z.string(),
  made_at_ms: z.number(),
});
export type OverrideView = z.output<typeof overrideView>;

const shift = z.object({ from_at_ms: z.number(), to_at_ms: z.number(), people: z.array(z.string()) });
export const shiftsView = z.object({
  schedule: z.string(),
  zone: z.string(),
  from_at_ms: z.number(),
  to_at_ms: z.number(),
  /** In order of precedence, each as if it were alone. */
  layers: z.array(z.object({ name: z.string(), shifts: z.array(shift) })),
  overrides: z.array(overrideView),
  /** What comes of them: without a gap between, nobody where `people` is empty. The first and the last are whole and may reach beyond what was asked. */
  final: z.array(shift.extend({ source: z.enum(['override', 'layer', 'nobody']), name: z.string(), reason: z.string() })),
});
export type ShiftsView = z.output<typeof shiftsView>;

const personName = z.object({ id: z.string(), name: z.string() });
export const whoView = z.object({
  schedule: z.string(),
  name: z.string(),
  zone: z.string(),
  at_ms: z.number(),
  people: z.array(personName),
  reason: z.string(),
  /** Until when these people are on call; null: for longer than it was looked ahead. */
  until_at_ms: z.number().nullable(),
  next: z.object({ people: z.array(personName), from_at_ms: z.number() }).nullable(),
});
export type WhoView = z.output<typeof whoView>;

export const gapsView = z.object({
  items: z.array(z.object({ from_at_ms: z.number(), to_at_ms: z.number(), reason: z.string() })),
});

export const calendarView = z.object({
  id: z.string(),
  kind: z.enum(['person', 'schedule']),
  subject: z.string(),
  made_by: z.string(),
  made_at_ms: z.number(),
  read_at_ms: z.number().nullable(),
});
export type CalendarView = z.output<typeof calendarView>;

export const turnView = z.object({ from_at_ms: z.number(), people: z.array(z.string()), reason: z.string() });

const originOf = ({ place }: InForce<unknown>): string => place ?? 'ui';

export const personToWire = (one: InForce<Person>, mayChange: boolean): PersonView => ({
  ...one.spec,
  contacts: one.spec.contacts.map(({ channel, to }) => (to === undefined ? { channel } : { channel, to: mayChange ? to : '[hidden]' })),
  origin: originOf(one),
  revision: one.revision,
});

export const scheduleToWire = (one: InForce<ScheduleSpec>): z.input<typeof scheduleView> => ({
  ...one.spec,
  origin: originOf(one),
  revision: one.revision,
});

export const overrideToWire = (one: Override): OverrideView => ({
  id: one.id,
  person: one.person,
  from_at_ms: one.fromMs,
  to_at_ms: one.toMs,
  note: one.note,
  by: one.by,
  made_at_ms: one.madeAtMs,
});

const shiftToWire = ({ fromMs, toMs, people }: Span & { readonly people: readonly string[] }) => ({
  from_at_ms: fromMs,
  to_at_ms: toMs,
  people: [...people],
});

const nameOf = ({ source }: Turn): string =>
  source.kind === 'layer' ? source.layer.name : source.kind === 'override' ? source.override.id : '';

/** Turns are looked for so far to both sides at most, to show them whole. */
const MAX_BEYOND_MS = 62 * DAY_MS;

function wholeTurns(asked: Asked, span: Span): readonly Turn[] {
  const longestMs = Math.max(...asked.schedule.layers.map(({ rotation }) => rotation.lengthMs)) + DAY_MS;
  const beyondMs = Math.min(longestMs, MAX_BEYOND_MS);
  const wide = { fromMs: epochMs(span.fromMs - beyondMs), toMs: epochMs(span.toMs + beyondMs) };
  return turnsWithin(asked, wide).filter(({ fromMs, toMs }) => fromMs < span.toMs && toMs > span.fromMs);
}

export const shiftsOf = (asked: Asked, span: Span): ShiftsView => ({
  schedule: asked.schedule.spec.id,
  zone: asked.schedule.spec.zone,
  from_at_ms: span.fromMs,
  to_at_ms: span.toMs,
  layers: asked.schedule.layers.map((layer) => ({ name: layer.name, shifts: turnsOfLayerKnown(layer, asked, span).map(shiftToWire) })),
  overrides: asked.overrides.filter(({ fromMs, toMs }) => fromMs < span.toMs && toMs > span.fromMs).map(overrideToWire),
  final: wholeTurns(asked, span).map((turn) => ({
    ...shiftToWire(turn),
    source: turn.source.kind,
    name: nameOf(turn),
    reason: reasonOf(turn.source, asked, turn.fromMs),
  })),
});

/** Who is on call at the beginning of a span, until when, and who is next within it. */
export function whoOf(asked: Asked, span: Span, named: (id: string) => { readonly id: string; readonly name: string }): WhoView {
  const { id, name, zone } = asked.schedule.spec;
  const turns = turnsWithin(asked, span);
  const [now] = turns;
  const people = now?.people ?? [];
  const key = JSON.stringify(people);
  const change = turns.find((turn) => JSON.stringify(turn.people) !== key);
  const next = turns.find((turn) => turn.fromMs >= (change?.fromMs ?? span.toMs) && turn.people.length > 0);
  return {
    schedule: id,
    name: name ?? id,
    zone,
    at_ms: span.fromMs,
    people: people.map(named),
    reason: now === undefined ? '' : reasonOf(now.source, asked, span.fromMs),
    until_at_ms: change?.fromMs ?? null,
    next: next === undefined ? null : { people: next.people.map(named), from_at_ms: epochMs(next.fromMs) },
  };
}

export const gapsOf = (asked: Asked, span: Span): z.output<typeof gapsView> => ({
  items: gapsWithin(asked, span).map(({ fromMs, toMs, reason }) => ({ from_at_ms: fromMs, to_at_ms: toMs, reason })),
});
