import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import { parseInstant } from '@nines/base/instant.ts';
import type { EpochMs } from '@nines/base/units.ts';
import type { Bus } from '../platform/bus.ts';
import {
  AVAILABILITY_CODES,
  type Downtime,
  type DowntimeEdit,
  type DowntimeFilter,
  type DowntimeMerge,
  type DowntimeRevisionView,
  type DowntimeSplit,
  downtimeToWire,
  type KnownDowntimeFilter,
} from './contract.ts';
import { asPeopleSee, type Change, type Part, structureAt } from './parts.ts';
import type { LedgerStore } from './store.ts';
import type { StoredPart } from './store-parts.ts';
import type { LedgerWriter } from './writer.ts';

export type DeskDeps = {
  readonly store: LedgerStore;
  readonly writer: LedgerWriter;
  readonly clock: Pick<Clock, 'now'>;
  readonly newId: () => string;
  readonly bus: Bus;
  /** The downtimes that the ledger itself says, as they read now or as they were known. */
  readonly ledger: (filter: DowntimeFilter | KnownDowntimeFilter) => Promise<readonly Downtime[]>;
};

/** A person's change to a downtime; `by` is who. */
export type DowntimeCommand<Said> = { readonly id: string; readonly by: string; readonly said: Said };

/** Parts that one downtime can be split into. */
const MAX_PARTS = 100;

/**
 * Where people work on downtimes: reasons, notes, splitting, merging, and taking back. Nothing of it touches the ledger's time, and every step is a
 * revision beside the ones before.
 */
export class DowntimeDesk {
  readonly #deps: DeskDeps;
  /** Services of which people ever cut or joined a downtime. */
  readonly #restructured = new Set<string>();

  constructor(deps: DeskDeps) {
    this.#deps = deps;
  }

  async load(): Promise<void> {
    for (const service of await this.#deps.store.restructuredServices()) this.#restructured.add(service);
  }

  /** As people see them, newest first. */
  async list(filter: DowntimeFilter | KnownDowntimeFilter): Promise<readonly Downtime[]> {
    const { service } = filter;
    if (this.#restructured.size === 0 || (service !== undefined && !this.#restructured.has(service))) return this.#deps.ledger(filter);
    if (service !== undefined) return this.#listService(service, filter);
    const ledger = await this.#deps.ledger(filter);
    const plain = ledger.filter((one) => !this.#restructured.has(one.service));
    const others = await Promise.all([...this.#restructured].map((id) => this.#listService(id, filter)));
    return [...plain, ...others.flat()].sort((a, b) => b.fromAtMs - a.fromAtMs || (a.id < b.id ? 1 : -1));
  }

  async #listService(service: string, filter: DowntimeFilter | KnownDowntimeFilter): Promise<readonly Downtime[]> {
    const knownAtMs = 'knownAtMs' in filter ? filter.knownAtMs : Number.POSITIVE_INFINITY;
    // A merged downtime may reach into the window with a stretch that lies outside it.
    const all = 'knownAtMs' in filter ? { ...filter, fromMs: 0 as EpochMs, toMs: filter.knownAtMs } : { service };
    const [ledger, { log, parts }] = await Promise.all([this.#deps.ledger(all), this.#deps.store.structureOf(service)]);
    const seen = asPeopleSee(
      ledger,
      parts.map((part) => saidAt(part, knownAtMs)),
      structureAt(log, knownAtMs),
    );
    const { fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY } = filter;
    return seen.filter((one) => one.fromAtMs < toMs && (one.toAtMs ?? Number.POSITIVE_INFINITY) > fromMs);
  }

  /** A downtime, or the one that it was merged into. */
  async get(id: string): Promise<Downtime | undefined> {
    const row = await this.#deps.store.downtime(id);
    if (row === undefined) return undefined;
    const seen = await this.list({ service: row.service });
    return seen.find((one) => one.id === id) ?? seen.find((one) => one.mergedIds?.includes(id) === true);
  }

  /** What people said and did of a downtime, the original first and what holds last. `AppError` `downtime_not_found`. */
  async revisions(id: string): Promise<readonly DowntimeRevisionView[]> {
    const { store } = this.#deps;
    const now = await store.downtime(id);
    if (now === undefined) throw downtimeNotFound(id);
    const replaced = await store.revisions(id);
    return [...replaced, now].map(({ revision, reason, note }, i) => {
      const by = replaced[i - 1];
      return {
        revision,
        reason: reason as DowntimeRevisionView['reason'],
        note,
        by: by?.replaced_by ?? null,
        at_ms: by?.replaced_at_ms ?? null,
        change: by === undefined ? null : (by.change as Change),
        other: by?.other_id ?? null,
      };
    });
  }

  /** A new revision with another reason or note. `AppError` `downtime_not_found`, `downtime_merged`, `revision_conflict`. */
  edit({ id, by, said }: DowntimeCommand<DowntimeEdit>): Promise<Downtime> {
    return this.#deps.writer.exclusive(async () => {
      const before = await this.#own(id, said.revision);
      const after = { reason: said.reason ?? before.reason, note: said.note ?? before.note };
      if (after.reason === before.reason && after.note === before.note) return before;
      return this.#save({ before, after, by, change: 'edited', other: null });
    });
  }

  /** Splits a downtime in two outages. `AppError` as for `edit`, `downtime_range` when the instant is not strictly within it. */
  split({ id, by, said }: DowntimeCommand<DowntimeSplit>): Promise<Downtime> {
    return this.#deps.writer.exclusive(async () => {
      const before = await this.#own(id, said.revision);
      const at = parseInstant(said.at);
      if (!at.ok) throw new AppError('bad_input', AVAILABILITY_CODES.downtimeRange, at.error, { field: 'at' });
      if (before.spans !== undefined)
        throw new AppError('conflict', AVAILABILITY_CODES.downtimeMerged, `downtime ${id} was merged: undo that first`);
      const endMs = before.toAtMs ?? this.#deps.clock.now();
      if (at.value <= before.fromAtMs || at.value >= endMs) {
        const words = `the downtime is from ${new Date(before.fromAtMs).toISOString()} to ${new Date(endMs).toISOString()}`;
        throw new AppError('bad_input', AVAILABILITY_CODES.downtimeRange, `${words}; split it strictly within`, { field: 'at' });
      }
      const partOf = before.partOf ?? before.id;
      const { parts } = await this.#deps.store.structureOf(before.service);
      if (parts.filter((part) => part.partOf === partOf).length >= MAX_PARTS) {
        throw new AppError('bad_input', AVAILABILITY_CODES.downtimeRange, `a downtime is split into at most ${MAX_PARTS} parts`, {
          field: 'at',
        });
      }
      const { reason = before.reason, note = before.note } = said;
      const part = { id: this.#deps.newId(), partOf, fromMs: at.value, reason, note, revision: 1 };
      return this.#save({ before, after: before, by, change: 'split', other: part.id, part });
    });
  }

  /** Merges a downtime with its neighbour; the earlier one stays. `AppError` as for `edit`, `downtime_range` when they are no neighbours. */
  merge({ id, by, said }: DowntimeCommand<DowntimeMerge>): Promise<Downtime> {
    return this.#deps.writer.exclusive(async () => {
      const [one, other] = [await this.#own(id, said.revision), await this.#own(said.with)];
      const seen = await this.list({ service: one.service });
      const [i, j] = [one, other].map((each) => seen.findIndex((found) => found.id === each.id));
      if (one.service !== other.service || i === undefined || j === undefined || Math.abs(i - j) !== 1) {
        const between = seen[i !== undefined && j !== undefined ? Math.max(i, j) - 1 : -1];
        const why =
          one.service !== other.service
            ? `they are of "${one.service}" and "${other.service}"`
            : i === j
              ? 'it is the same one'
              : `downtime ${between?.id} lies between`;
        throw new AppError('bad_input', AVAILABILITY_CODES.downtimeRange, `these downtimes cannot be merged: ${why}`, { field: 'with' });
      }
      const [earlier, later] = i > j ? [one, other] : [other, one];
      const after = { reason: said.reason ?? earlier.reason, note: said.note ?? earlier.note };
      return this.#save({ before: earlier, after, by, change: 'merged', other: later.id });
    });
  }

  /** Takes the last change back: a new revision that says what the one before said. `AppError` as for `edit`, `nothing_to_undo`. */
  undo(id: string, by: string): Promise<Downtime> {
    return this.#deps.writer.exclusive(async () => {
      const before = await this.#own(id);
      const last = (await this.#deps.store.revisions(id)).at(-1);
      if (last === undefined) throw new AppError('conflict', 'nothing_to_undo', `nobody has edited the downtime ${id}`);
      const after = { reason: last.reason as Downtime['reason'], note: last.note };
      return this.#save({ before, after, by, change: OPPOSITE[last.change as Change], other: last.other_id });
    });
  }

  /** The downtime as people see it, for a change by a person who saw `revision`. */
  async #own(id: string, revision?: number): Promise<Downtime> {
    const found = await this.get(id);
    if (found === undefined) throw downtimeNotFound(id);
    if (found.id !== id) {
      throw new AppError('conflict', AVAILABILITY_CODES.downtimeMerged, `downtime ${id} was merged into ${found.id}: change that one`);
    }
    if (revision !== undefined && revision !== found.revision) {
      throw new AppError('conflict', 'revision_conflict', `downtime ${id} is at revision ${found.revision}, not ${revision}`);
    }
    return found;
  }

  async #save(change: {
    readonly before: Downtime;
    readonly after: Pick<Downtime, 'reason' | 'note'>;
    readonly by: string;
    readonly change: Change;
    readonly other: string | null;
    readonly part?: Part;
  }): Promise<Downtime> {
    const { store, writer, bus, clock } = this.#deps;
    const { before, after } = change;
    const nowMs = clock.now();
    await store.saveChange({ ...change, nowMs });
    if (change.change !== 'edited') this.#restructured.add(before.service);
    writer.describeDowntime(before.id, { reason: after.reason, note: after.note, revision: before.revision + 1 });
    const now = (await this.get(before.id)) ?? before;
    bus.publish({ topic: 'services', type: 'downtime.edited', atMs: nowMs, data: downtimeToWire(now) });
    return now;
  }
}

/** What takes a change back. */
const OPPOSITE: Readonly<Record<Change, Change>> = {
  edited: 'edited',
  split: 'rejoined',
  rejoined: 'split',
  merged: 'unmerged',
  unmerged: 'merged',
};

/** What was said of a part at an instant. */
function saidAt(part: StoredPart, atMs: number): Part {
  const then = part.replaced.find((one) => one.replacedAtMs > atMs);
  return then === undefined ? part : { ...part, reason: then.reason, note: then.note, revision: then.revision };
}

export const downtimeNotFound = (id: string): AppError =>
  new AppError('not_found', AVAILABILITY_CODES.downtimeNotFound, `there is no downtime ${id}`);
