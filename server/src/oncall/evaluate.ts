import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { wallClockMs } from '@nines/maths/calendar/zone.ts';
import type { Shift } from '@nines/maths/oncall/rotation.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import { clipSpan } from '@nines/maths/slo/window.ts';
import { type Layer, type LayerTurn, type Schedule, turnsOfLayer } from './layers.ts';

/** Somebody takes over for a while, whatever the layers say. Those of one schedule never overlap. */
export type Override = Span & {
  readonly id: string;
  readonly schedule: string;
  /** The id of the person. */
  readonly person: string;
  readonly note: string;
  readonly by: string;
  readonly madeAtMs: EpochMs;
};

/** What decided who is on call. */
export type Source =
  | { readonly kind: 'override'; readonly override: Override }
  | { readonly kind: 'layer'; readonly layer: Layer; readonly shift: Shift }
  | { readonly kind: 'nobody' };
/** A stretch in which the same people are on call for the same reason; nobody is a gap. */
export type Turn = Span & { readonly people: readonly string[]; readonly source: Source };

export type Asked = {
  readonly schedule: Schedule;
  /** Of this schedule. */
  readonly overrides: readonly Override[];
  /** People who are not known are not on call: the next in order is. */
  readonly isKnown: (person: string) => boolean;
};

/** Who is on call within a span: ascending, without a gap between the turns and none twice. */
export function turnsWithin({ schedule, overrides, isKnown }: Asked, span: Span): readonly Turn[] {
  const covering = overrides
    .filter((one) => isKnown(one.person) && clipSpan(one, span) !== undefined)
    .toSorted((a, b) => a.fromMs - b.fromMs)
    .map((one) => ({ fromMs: one.fromMs, toMs: one.toMs, people: [one.person], source: { kind: 'override', override: one } as const }));
  const rows: readonly (readonly Turn[])[] = [
    covering,
    ...schedule.layers.map((layer) =>
      turnsOfLayer(layer, span).flatMap(({ fromMs, toMs, people, shift }) => {
        const known = people.filter(isKnown);
        return known.length === 0 ? [] : [{ fromMs, toMs, people: known, source: { kind: 'layer', layer, shift } as const }];
      }),
    ),
  ];
  return stacked(rows, span);
}

/** At each instant the first row that has something; touching pieces of one source are one. */
function stacked(rows: readonly (readonly Turn[])[], span: Span): readonly Turn[] {
  const edges = new Set<number>([span.fromMs, span.toMs]);
  for (const { fromMs, toMs } of rows.flat())
    for (const edge of [fromMs, toMs]) if (edge > span.fromMs && edge < span.toMs) edges.add(edge);
  const sorted = [...edges].sort((a, b) => a - b);
  const next = rows.map(() => 0);
  const turns: Turn[] = [];
  sorted.slice(0, -1).forEach((fromMs, i) => {
    const piece = { fromMs: epochMs(fromMs), toMs: epochMs(sorted[i + 1] ?? fromMs) };
    const found = firstOver(rows, next, piece);
    const last = turns.at(-1);
    const source: Source = found?.source ?? { kind: 'nobody' };
    if (last !== undefined && isSameSource(last.source, source)) turns[turns.length - 1] = { ...last, toMs: piece.toMs };
    else turns.push({ ...piece, people: found?.people ?? [], source });
  });
  return turns;
}

/** `next` remembers per row what lies before the piece; pieces come in order. */
function firstOver(rows: readonly (readonly Turn[])[], next: number[], piece: Span): Turn | undefined {
  let found: Turn | undefined;
  rows.forEach((row, index) => {
    let at = next[index] ?? 0;
    while ((row[at]?.toMs ?? Number.POSITIVE_INFINITY) <= piece.fromMs) at++;
    next[index] = at;
    const turn = row[at];
    if (found === undefined && turn !== undefined && turn.fromMs <= piece.fromMs) found = turn;
  });
  return found;
}

function isSameSource(a: Source, b: Source): boolean {
  if (a.kind === 'override') return b.kind === 'override' && a.override.id === b.override.id;
  if (a.kind === 'layer') return b.kind === 'layer' && a.layer === b.layer && a.shift.number === b.shift.number;
  return b.kind === 'nobody';
}

/** Who is on call at an instant, and why, in words. */
export function turnAt(asked: Asked, atMs: EpochMs): { readonly turn: Turn; readonly reason: string } {
  const [turn] = turnsWithin(asked, { fromMs: atMs, toMs: epochMs(atMs + 1) });
  if (turn === undefined) throw new Error(`a turn at ${atMs}, found none`);
  return { turn, reason: reasonOf(turn.source, asked, atMs) };
}

export function reasonOf(source: Source, { schedule, overrides, isKnown }: Asked, atMs: EpochMs): string {
  const { zone } = schedule.spec;
  switch (source.kind) {
    case 'override': {
      const { person, fromMs, toMs, by, note } = source.override;
      return `override: ${person} takes over ${spanText({ fromMs, toMs }, zone)}, said by ${by}${note === '' ? '' : ` ("${note}")`}`;
    }
    case 'layer':
      return `layer "${source.layer.name}": shift ${spanText(source.shift, source.layer.rotation.zone)}`;
    case 'nobody': {
      const strangers = overrides.filter((one) => one.fromMs <= atMs && one.toMs > atMs && !isKnown(one.person));
      const why = [
        ...strangers.map(({ person }) => `an override names "${person}", whom nobody declared`),
        ...schedule.layers.map((layer) => `layer "${layer.name}" ${absenceOf(layer, isKnown, atMs)}`),
      ];
      return `nobody is on call: ${why.join('; ')}`;
    }
  }
}

/** Why a layer has nobody at an instant. */
function absenceOf(layer: Layer, isKnown: (person: string) => boolean, atMs: EpochMs): string {
  const { zone } = layer.rotation;
  if (atMs < layer.fromMs) return `begins ${clockText(layer.fromMs, zone)} (${zone})`;
  if (layer.toMs !== undefined && atMs >= layer.toMs) return `ended ${clockText(layer.toMs, zone)} (${zone})`;
  const [turn] = turnsOfLayer(layer, { fromMs: atMs, toMs: epochMs(atMs + 1) });
  if (turn === undefined) return 'is out of its hours';
  return `names ${turn.people.filter((one) => !isKnown(one)).join(', ')}, whom nobody declared`;
}

/** Stretches in which nobody is on call, each with the reason at its beginning. */
export function gapsWithin(asked: Asked, span: Span): readonly (Span & { readonly reason: string })[] {
  return turnsWithin(asked, span)
    .filter(({ source }) => source.kind === 'nobody')
    .map(({ fromMs, toMs, source }) => ({ fromMs, toMs, reason: reasonOf(source, asked, fromMs) }));
}

/** One layer alone, without people who are not known. */
export const turnsOfLayerKnown = (layer: Layer, { isKnown }: Pick<Asked, 'isKnown'>, span: Span): readonly LayerTurn[] =>
  turnsOfLayer(layer, span).filter(({ people }) => people.some(isKnown));

/** The wall clock of a zone, to the minute: `2026-01-05 09:00`. */
export const clockText = (atMs: number, zone: string): string =>
  new Date(wallClockMs(atMs, zone)).toISOString().slice(0, 16).replace('T', ' ');

export const spanText = ({ fromMs, toMs }: Span, zone: string): string =>
  `from ${clockText(fromMs, zone)} to ${clockText(toMs, zone)} (${zone})`;
