import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import type { Kysely, Transaction } from 'kysely';
import type { Bus } from '../platform/bus.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Actor } from '../platform/http/contract.ts';
import { appendEvent } from '../platform/records/events.ts';
import { createTurns } from '../platform/turns.ts';
import {
  MAX_SILENCES,
  SILENCE_CODES,
  SILENCE_RETENTION_MS,
  type Silence,
  type SilenceBook,
  type SilenceDraft,
  type SilenceView,
} from './contract.ts';
import { type Change, decideChange, expire, isSilencing, stateOf } from './evaluate.ts';
import { findSilence, saveSilence, silencesAfter } from './store.ts';

export type SilencesDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly bus: Bus;
  /** Told in the transaction of each change, so that what a silence held back, or will, is looked at again. */
  readonly onChange: (trx: Transaction<Database>, atMs: EpochMs) => Promise<void>;
};

export async function loadSilences(deps: SilencesDeps): Promise<Silences> {
  const silences = new Silences(deps);
  await silences.load();
  return silences;
}

/** Which silences there are. Those that ended within the retention are listed; older ones are found by their id. */
export class Silences implements SilenceBook {
  readonly #deps: SilencesDeps;
  readonly #alone = createTurns();
  #known = new Map<string, Silence>();

  constructor(deps: SilencesDeps) {
    this.#deps = deps;
  }

  /** To be called once, before anything else. */
  async load(): Promise<void> {
    const found = await silencesAfter(this.#deps.db, this.#deps.clock.now() - SILENCE_RETENTION_MS);
    this.#known = new Map(found.map((silence) => [silence.id, silence]));
  }

  silencing(labels: Readonly<Record<string, string>>, atMs: EpochMs): readonly Silence[] {
    const found: Silence[] = [];
    for (const silence of this.#known.values()) {
      if (stateOf(silence, atMs) === 'active' && isSilencing(silence, labels)) found.push(silence);
    }
    return found.sort((a, b) => b.endsAtMs - a.endsAtMs || (a.id < b.id ? -1 : 1));
  }

  /** Active ones by their end, then pending ones by their start, then expired ones, the latest first. */
  list(): readonly Silence[] {
    const nowMs = this.#deps.clock.now();
    const order = { active: 0, pending: 1, expired: 2 } as const;
    const within = (silence: Silence): number => {
      const state = stateOf(silence, nowMs);
      return state === 'pending' ? silence.startsAtMs : state === 'active' ? silence.endsAtMs : nowMs - silence.endsAtMs;
    };
    return [...this.#known.values()]
      .filter(({ endsAtMs }) => endsAtMs > nowMs - SILENCE_RETENTION_MS)
      .sort((a, b) => order[stateOf(a, nowMs)] - order[stateOf(b, nowMs)] || within(a) - within(b) || (a.id < b.id ? -1 : 1));
  }

  /** `AppError` `silence_not_found`. */
  async get(id: string): Promise<Silence> {
    const found = this.#known.get(id) ?? (await findSilence(this.#deps.db, id));
    if (found === undefined) throw new AppError('not_found', SILENCE_CODES.notFound, `there is no silence ${id}`);
    return found;
  }

  /** Makes a silence or changes the one that the draft names. `AppError` `silence_not_found`, `silence_invalid`, `too_many_silences`. */
  put(draft: SilenceDraft, actor: Actor): Promise<Silence> {
    return this.#alone(async () => {
      const { clock, ids } = this.#deps;
      const nowMs = clock.now();
      const before = draft.id === undefined ? undefined : await this.get(draft.id);
      const decided = decideChange(draft, { before, newId: ids.uuid(), nowMs });
      if (!decided.ok) throw new AppError('bad_input', SILENCE_CODES.invalid, decided.error);
      const { saved } = decided.value;
      if (!this.#known.has(saved.id) && this.#openCount(nowMs) >= MAX_SILENCES)
        throw new AppError('limited', SILENCE_CODES.tooMany, `there are ${MAX_SILENCES} silences in force already; let some expire`);
      await this.#save(decided.value, { nowMs, actor, kind: saved.id === before?.id ? 'silence.updated' : 'silence.created' });
      return saved;
    });
  }

  /** Ends a silence now; one that has ended stays as it is. `AppError` `silence_not_found`. */
  expire(id: string, actor: Actor): Promise<Silence> {
    return this.#alone(async () => {
      const nowMs = this.#deps.clock.now();
      const before = await this.get(id);
      if (stateOf(before, nowMs) === 'expired') return before;
      const saved = expire(before, nowMs);
      await this.#save({ saved, replaced: undefined }, { nowMs, actor, kind: 'silence.expired' });
      return saved;
    });
  }

  viewOf(silence: Silence): SilenceView {
    return viewAt(silence, this.#deps.clock.now());
  }

  #openCount(nowMs: EpochMs): number {
    let count = 0;
    for (const silence of this.#known.values()) if (stateOf(silence, nowMs) !== 'expired') count++;
    return count;
  }

  async #save(change: Change, { nowMs, actor, kind }: { nowMs: EpochMs; actor: Actor; kind: string }): Promise<void> {
    const { db, ids, bus, onChange } = this.#deps;
    const { saved, replaced } = change;
    const data = { ...viewAt(saved, nowMs), replaces: replaced?.id ?? null, actor: actor.name, actor_kind: actor.kind };
    await db.transaction().execute(async (trx) => {
      if (replaced !== undefined) await saveSilence(trx, replaced);
      await saveSilence(trx, saved);
      await appendEvent(trx, { kind, dedupKey: ids.uuid(), atMs: nowMs, data, retentionClass: 'audit' }, { ids, nowMs });
      await onChange(trx, nowMs);
    });
    if (replaced !== undefined) this.#known.set(replaced.id, replaced);
    this.#known.set(saved.id, saved);
    for (const silence of this.#known.values()) {
      if (silence.endsAtMs <= nowMs - SILENCE_RETENTION_MS) this.#known.delete(silence.id);
    }
    bus.publish({ topic: 'alerts', type: kind, atMs: nowMs, data });
  }
}

const viewAt = (silence: Silence, nowMs: number): SilenceView => ({
  id: silence.id,
  state: stateOf(silence, epochMs(nowMs)),
  matchers: silence.matchers.map(({ name, op, value }) => ({ name, op, value })),
  starts_at_ms: silence.startsAtMs,
  ends_at_ms: silence.endsAtMs,
  created_by: silence.createdBy,
  comment: silence.comment,
  annotations: { ...silence.annotations },
  updated_at_ms: silence.updatedAtMs,
});
