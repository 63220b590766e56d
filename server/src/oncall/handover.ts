import { DAY_MS, type EpochMs, HOUR_MS, epochMs } from '@nines/base/units.ts';
import type { Kysely, Transaction } from 'kysely';
import type { Bus } from '../platform/bus.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Person } from './contract.ts';
import { type Turn, reasonOf, turnsWithin } from './evaluate.ts';
import type { Roster } from './service.ts';
import { type KnownTurn, deleteTurnsBefore, insertTurn, lastTurns } from './store.ts';

/** How often `step` is to be called. */
export const HANDOVER_STEP_MS = 1_000;
/** A schedule is looked at again when its turn ends, at the latest after so long. */
const LOOK_AHEAD_MS = HOUR_MS;
/** How far ahead the end of a shift is looked for, to be told at its beginning. */
const SHIFT_AHEAD_MS = 62 * DAY_MS;
/** How long it is known who was on call. */
const TURNS_KEPT_MS = 2 * 365 * DAY_MS;

/** What one person is told of. */
export type Handover = {
  readonly kind: 'begins' | 'ends';
  readonly person: Person;
  readonly schedule: { readonly id: string; readonly name: string };
  readonly atMs: EpochMs;
  /** When the shift that begins ends, as far as that is known. */
  readonly untilMs: EpochMs | undefined;
  /** Who had it before, or has it now. */
  readonly others: readonly Person[];
  /** Why somebody or nobody is on call now. */
  readonly reason: string;
};

export type HandoverDeps = {
  readonly db: Kysely<Database>;
  readonly bus: Bus;
  readonly roster: Roster;
  /** Called in the transaction that records the change: what must be said stands in the outbox after it. */
  readonly tell: (trx: Transaction<Database>, handover: Handover) => Promise<void>;
  /** Called after it. */
  readonly afterCommit: () => void;
};

type Look = { readonly version: number; readonly untilMs: number };

/** Notices when other people are on call than before, also after a stop; keeps who it was, and tells those whose shifts begin and end. */
export class Handovers {
  readonly #deps: HandoverDeps;
  #last = new Map<string, KnownTurn>();
  readonly #looked = new Map<string, Look>();

  constructor(deps: HandoverDeps) {
    this.#deps = deps;
  }

  async load(): Promise<void> {
    this.#last = new Map(await lastTurns(this.#deps.db));
  }

  /** Steps must not overlap. */
  async step(nowMs: EpochMs): Promise<void> {
    const { roster } = this.#deps;
    for (const { spec } of roster.schedules.list()) {
      const looked = this.#looked.get(spec.id);
      if (looked?.version === roster.version && nowMs < looked.untilMs) continue;
      const asked = roster.asked(spec.id);
      const [turn] = turnsWithin(asked, { fromMs: nowMs, toMs: epochMs(nowMs + LOOK_AHEAD_MS) });
      if (turn === undefined) continue;
      await this.#see(spec, { fromMs: nowMs, people: turn.people, reason: reasonOf(turn.source, asked, nowMs) });
      this.#looked.set(spec.id, { version: roster.version, untilMs: turn.toMs });
    }
    for (const [id, last] of this.#last) {
      if (last.people.length === 0 || roster.schedules.get(id) !== undefined) continue;
      await this.#see({ id, notices: true }, { fromMs: nowMs, people: [], reason: 'the schedule is no more' });
    }
  }

  async #see(
    schedule: { readonly id: string; readonly name?: string | undefined; readonly notices: boolean },
    now: KnownTurn,
  ): Promise<void> {
    const { db, bus, afterCommit, tell } = this.#deps;
    const before = this.#last.get(schedule.id);
    if (before !== undefined && JSON.stringify(before.people) === JSON.stringify(now.people)) return;
    // Who is on call when a schedule is first seen has not just begun a shift.
    const handovers = before === undefined || !schedule.notices ? [] : this.#handovers(schedule, before, now);
    await db.transaction().execute(async (trx) => {
      await insertTurn(trx, schedule.id, now);
      await deleteTurnsBefore(trx, schedule.id, now.fromMs - TURNS_KEPT_MS);
      for (const handover of handovers) await tell(trx, handover);
    });
    this.#last.set(schedule.id, now);
    if (handovers.length > 0) afterCommit();
    const data = { schedule: schedule.id, people: now.people, before: before?.people ?? [], reason: now.reason };
    bus.publish({ topic: 'notifications', type: 'oncall.handed_over', atMs: now.fromMs, data });
  }

  #handovers(
    schedule: { readonly id: string; readonly name?: string | undefined },
    before: KnownTurn,
    now: KnownTurn,
  ): readonly Handover[] {
    const named = (ids: readonly string[]): readonly Person[] => ids.flatMap((id) => this.#deps.roster.directory.get(id) ?? []);
    const shared = { schedule: { id: schedule.id, name: schedule.name ?? schedule.id }, atMs: now.fromMs, reason: now.reason };
    const began = named(now.people.filter((id) => !before.people.includes(id)));
    const ended = named(before.people.filter((id) => !now.people.includes(id)));
    return [
      ...began.map((person) => {
        const untilMs = this.#untilOf(schedule.id, person.id, now.fromMs);
        return { ...shared, kind: 'begins' as const, person, untilMs, others: named(before.people) };
      }),
      ...ended.map((person) => ({ ...shared, kind: 'ends' as const, person, untilMs: undefined, others: named(now.people) })),
    ];
  }

  /** When a person who is on call now no longer is. */
  #untilOf(schedule: string, person: string, nowMs: EpochMs): EpochMs | undefined {
    const turns = turnsWithin(this.#deps.roster.asked(schedule), { fromMs: nowMs, toMs: epochMs(nowMs + SHIFT_AHEAD_MS) });
    return turns.find((turn: Turn) => !turn.people.includes(person))?.fromMs;
  }
}
