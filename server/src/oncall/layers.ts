import { invariant } from '@nines/base/errors.ts';
import { parseDuration } from '@nines/base/duration.ts';
import { DAY_MS, type EpochMs, epochMs } from '@nines/base/units.ts';
import { parseWallClock } from '@nines/maths/calendar/anchored.ts';
import { type BusinessHours, outOfHours } from '@nines/maths/calendar/hours.ts';
import { plannedInstantMs } from '@nines/maths/calendar/wall.ts';
import { type Rotation, type Shift, shiftsWithin } from '@nines/maths/oncall/rotation.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import { clipSpan, without } from '@nines/maths/slo/window.ts';
import { businessHours } from '../platform/config/hours.ts';
import { type LayerSpec, type ScheduleSpec, readHandover, shiftLengthMs } from './contract.ts';

/** A layer ready to reckon with. */
export type Layer = {
  readonly name: string;
  readonly rotation: Rotation;
  /** When the first shift begins. */
  readonly fromMs: EpochMs;
  readonly toMs: EpochMs | undefined;
  readonly hours: BusinessHours | undefined;
  /** Ids of people; each element has one shift. */
  readonly turns: readonly (readonly string[])[];
};

/** A schedule ready to reckon with. */
export type Schedule = {
  readonly spec: ScheduleSpec;
  readonly layers: readonly Layer[];
  /** Absent: gaps are meant. */
  readonly gapAlarmMs: number | undefined;
};

export function compileSchedule(spec: ScheduleSpec): Schedule {
  const gap = parseDuration(spec.gap_alarm);
  return { spec, layers: spec.layers.map((layer) => compileLayer(layer, spec.zone)), gapAlarmMs: gap.ok ? gap.value : undefined };
}

function compileLayer(layer: LayerSpec, scheduleZone: string): Layer {
  const zone = layer.zone ?? scheduleZone;
  const lengthMs = shiftLengthMs(layer.rotation);
  invariant(typeof lengthMs === 'number', `a rotation that was checked, found "${layer.rotation}"`);
  const anchorMs = firstHandover(layer, lengthMs);
  return {
    name: layer.name,
    rotation: { zone, anchorMs, lengthMs },
    fromMs: epochMs(plannedInstantMs(anchorMs, zone)),
    toMs: layer.end === undefined ? undefined : epochMs(plannedInstantMs(wallOf(layer.end), zone)),
    hours: layer.hours === undefined ? undefined : businessHours({ zone, ...layer.hours }),
    turns: layer.members.map((member) => (typeof member === 'string' ? [member] : member)),
  };
}

function wallOf(text: string): number {
  const parsed = parseWallClock(text);
  invariant(parsed.ok, `a wall clock that was checked, found "${text}"`);
  return parsed.value;
}

/** 1970-01-01 was a Thursday. */
const weekdayOf = (wallMs: number): number => (((Math.floor(wallMs / DAY_MS) + 3) % 7) + 7) % 7;

/** The first hand-over at or after the start, on the wall clock. */
function firstHandover({ start, handover }: LayerSpec, lengthMs: number): number {
  const startMs = wallOf(start);
  if (handover === undefined) return startMs;
  const read = readHandover(handover);
  invariant(typeof read === 'object', `a hand-over that was checked, found "${handover}"`);
  const isWeeks = lengthMs % (7 * DAY_MS) === 0;
  const stepMs = isWeeks && read.weekday === undefined ? 7 * DAY_MS : Math.min(lengthMs, DAY_MS);
  let atMs = Math.floor(startMs / DAY_MS) * DAY_MS + read.timeMs;
  while (atMs < startMs || (read.weekday !== undefined && weekdayOf(atMs) !== read.weekday)) atMs += stepMs;
  return atMs;
}

/** A stretch in which people of a layer are on call, with the shift that it is part of. */
export type LayerTurn = Span & { readonly people: readonly string[]; readonly shift: Shift };

/** Who is on call by one layer alone, within a span: ascending and disjoint. Between them nobody is. */
export function turnsOfLayer(layer: Layer, span: Span): readonly LayerTurn[] {
  const lasting = { fromMs: layer.fromMs, toMs: layer.toMs ?? span.toMs };
  const within = clipSpan(span, lasting);
  if (within === undefined) return [];
  const closed = layer.hours === undefined ? [] : outOfHours(layer.hours, within);
  let next = 0;
  return shiftsWithin(layer.rotation, within).flatMap((shift) => {
    const part = clipSpan(shift, within);
    if (part === undefined) return [];
    while (closed[next] !== undefined && (closed[next]?.toMs ?? 0) <= part.fromMs) next++;
    const taken: Span[] = [];
    for (let i = next; i < closed.length; i++) {
      const cut = closed[i];
      if (cut === undefined || cut.fromMs >= part.toMs) break;
      taken.push(cut);
    }
    const people = layer.turns[shift.number % layer.turns.length] ?? [];
    return without([part], taken).map(({ fromMs, toMs }) => ({ fromMs, toMs, people, shift }));
  });
}
