import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import { DAY_MS, type EpochMs, epochMs } from '@nines/base/units.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import type { Kysely } from 'kysely';
import type { Bus } from '../platform/bus.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Sql } from '../platform/records/contract.ts';
import { appendEvent } from '../platform/records/events.ts';
import { createTurns } from '../platform/turns.ts';
import {
  type Contact,
  ONCALL_CODES,
  type OnCall,
  type OnCallAnswer,
  type People,
  type Person,
  type ScheduleSpec,
  membersOf,
  personSchema,
  scheduleSchema,
} from './contract.ts';
import { type Asked, type Override, clockText, turnAt } from './evaluate.ts';
import { type Schedule, compileSchedule } from './layers.ts';
import { type Declared, type InForce, Standing } from './standing.ts';
import { cutOverride, deleteOverride, deleteSpec, insertOverride, madeSpecs, overridesAfter, saveSpec } from './store.ts';

export type RosterDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly bus: Bus;
  /** What is wrong with a contact: there is no such channel, or it takes no such address. */
  readonly contactFault: (contact: Contact) => string | undefined;
};

/** Overrides that are over are shown for so long. */
const OVERRIDES_KEPT_MS = 400 * DAY_MS;
/** Of one schedule, not yet over. */
const MAX_OVERRIDES = 1_000;
const MAX_OVERRIDE_MS = 366 * DAY_MS;

export type OverrideDraft = Span & { readonly person: string; readonly note: string };

/** People, schedules and overrides in force, and who is on call by them. */
export class Roster implements OnCall {
  readonly #deps: RosterDeps;
  readonly #alone = createTurns();
  readonly #people = new Standing<Person>({
    noun: 'person',
    codes: { notFound: ONCALL_CODES.personNotFound, exists: ONCALL_CODES.personExists },
  });
  readonly #schedules = new Standing<ScheduleSpec>({
    noun: 'schedule',
    codes: { notFound: ONCALL_CODES.scheduleNotFound, exists: ONCALL_CODES.scheduleExists },
  });
  #compiled: ReadonlyMap<string, Schedule> = new Map();
  #overrides: readonly Override[] = [];
  #version = 0;

  constructor(deps: RosterDeps) {
    this.#deps = deps;
  }

  /** To be called once, before anything else. */
  async load(): Promise<void> {
    const { db, clock } = this.#deps;
    const inForce = <Spec>(parse: (json: unknown) => Spec, rows: Awaited<ReturnType<typeof madeSpecs>>): readonly InForce<Spec>[] =>
      rows.map((row) => ({
        spec: parse(JSON.parse(row.spec)),
        place: undefined,
        revision: row.revision,
        changedAtMs: epochMs(row.made_at_ms),
      }));
    this.#people.loadMade(inForce((json) => personSchema.parse(json), await madeSpecs(db, 'person')));
    this.#schedules.loadMade(inForce((json) => scheduleSchema.parse(json), await madeSpecs(db, 'schedule')));
    this.#overrides = await overridesAfter(db, clock.now() - OVERRIDES_KEPT_MS);
    this.#recompile();
  }

  /** Makes the file's people and schedules the whole set of file-owned ones. */
  declare(declared: {
    readonly people: readonly Declared<Person>[];
    readonly schedules: readonly Declared<ScheduleSpec>[];
  }): Promise<void> {
    return this.#alone(() => {
      const nowMs = this.#deps.clock.now();
      this.#people.declare(declared.people, nowMs);
      this.#schedules.declare(declared.schedules, nowMs);
      this.#changed();
      return Promise.resolve();
    });
  }

  /** Rises with whatever changes who is on call. */
  get version(): number {
    return this.#version;
  }

  get people(): Pick<Standing<Person>, 'list' | 'get' | 'find'> {
    return this.#people;
  }

  get schedules(): Pick<Standing<ScheduleSpec>, 'list' | 'get' | 'find'> {
    return this.#schedules;
  }

  /** For other domains. */
  readonly directory: People = {
    get: (id) => this.#people.get(id)?.spec,
    list: () => this.#people.list().map(({ spec }) => spec),
  };

  whoAt(scheduleId: string, atMs: EpochMs): OnCallAnswer {
    const schedule = this.#compiled.get(scheduleId);
    if (schedule === undefined) return { people: [], reason: `there is no schedule "${scheduleId}"` };
    const { turn, reason } = turnAt(this.#askedOf(schedule), atMs);
    return { people: turn.people.flatMap((id) => this.#people.get(id)?.spec ?? []), reason };
  }

  /** What decides about a schedule. `AppError` `schedule_not_found`. */
  asked(scheduleId: string): Asked {
    const { spec } = this.#schedules.find(scheduleId);
    return this.#askedOf(this.#compiled.get(spec.id) ?? compileSchedule(spec));
  }

  /** Those of a schedule that touch a span. */
  overridesOf(scheduleId: string, span: Span): readonly Override[] {
    return this.#overrides.filter((one) => one.schedule === scheduleId && one.fromMs < span.toMs && one.toMs > span.fromMs);
  }

  /** `AppError` `person_exists`, `oncall_invalid`. */
  createPerson(spec: Person, by: string): Promise<InForce<Person>> {
    return this.#alone(() => {
      this.#people.vacant(spec.id);
      return this.#savePerson(spec, by);
    });
  }

  /** `AppError` `person_not_found`, `oncall_owned_by_file`, `revision_conflict`, `oncall_invalid`. */
  updatePerson(id: string, spec: Person, change: Change): Promise<InForce<Person>> {
    return this.#alone(() => {
      this.#people.editable(id, change.revision);
      sameId(id, spec.id);
      return this.#savePerson(spec, change.by);
    });
  }

  /** `AppError` `person_not_found`, `oncall_owned_by_file`, `person_used` while a schedule or an override to come names them. */
  removePerson(id: string): Promise<void> {
    return this.#alone(async () => {
      this.#people.editable(id);
      const nowMs = this.#deps.clock.now();
      const inLayers = this.#schedules.list().filter(({ spec }) => membersOf(spec).has(id));
      const inOverrides = this.#overrides.filter(({ person, toMs }) => person === id && toMs > nowMs);
      const places = [
        ...inLayers.map(({ spec }) => `the schedule "${spec.id}"`),
        ...inOverrides.map((one) => `an override of the schedule "${one.schedule}"`),
      ];
      if (places.length > 0) {
        const message = `"${id}" is in ${[...new Set(places)].join(', ')}; take them out there first, so that nobody is missed`;
        throw new AppError('conflict', ONCALL_CODES.personUsed, message, { details: { places } });
      }
      await deleteSpec(this.#deps.db, 'person', id);
      this.#people.drop(id);
      this.#changed();
    });
  }

  /** `AppError` `schedule_exists`, `oncall_invalid`. */
  createSchedule(spec: ScheduleSpec, by: string): Promise<InForce<ScheduleSpec>> {
    return this.#alone(() => {
      this.#schedules.vacant(spec.id);
      return this.#saveSchedule(spec, by);
    });
  }

  /** `AppError` `schedule_not_found`, `oncall_owned_by_file`, `revision_conflict`, `oncall_invalid`. */
  updateSchedule(id: string, spec: ScheduleSpec, change: Change): Promise<InForce<ScheduleSpec>> {
    return this.#alone(() => {
      this.#schedules.editable(id, change.revision);
      sameId(id, spec.id);
      return this.#saveSchedule(spec, change.by);
    });
  }

  /** Its overrides end with it. `AppError` `schedule_not_found`, `oncall_owned_by_file`. */
  removeSchedule(id: string): Promise<void> {
    return this.#alone(async () => {
      this.#schedules.editable(id);
      const { db, clock } = this.#deps;
      const nowMs = clock.now();
      const isEnding = (one: Override): boolean => one.schedule === id && one.toMs > nowMs;
      await db.transaction().execute(async (trx) => {
        for (const one of this.#overrides.filter(isEnding)) await endOverride(trx, one, nowMs);
        await deleteSpec(trx, 'schedule', id);
      });
      this.#overrides = this.#overrides.flatMap((one) => (isEnding(one) ? ended(one, nowMs) : [one]));
      this.#schedules.drop(id);
      this.#changed();
    });
  }

  /** Of time that is over nothing is taken over. `AppError` `schedule_not_found`, `person_not_found`, `oncall_invalid`, `override_conflict`. */
  createOverride(scheduleId: string, draft: OverrideDraft, by: string): Promise<Override> {
    return this.#alone(async () => {
      const { db, clock, ids } = this.#deps;
      const { spec } = this.#schedules.find(scheduleId);
      this.#people.find(draft.person);
      const nowMs = clock.now();
      this.#judgeOverride(spec, draft, nowMs);
      // What was, was.
      const fromMs = epochMs(Math.max(draft.fromMs, nowMs));
      const made: Override = { ...draft, fromMs, id: ids.uuid(), schedule: scheduleId, by, madeAtMs: nowMs };
      await db.transaction().execute(async (trx) => {
        await insertOverride(trx, made);
        const event = { kind: 'oncall.override_made', dedupKey: made.id, atMs: nowMs, data: made, retentionClass: 'audit' as const };
        await appendEvent(trx, event, { ids, nowMs });
      });
      this.#overrides = [...this.#overrides, made];
      this.#changed();
      return made;
    });
  }

  /** Takes an override back: one that goes on ends now, one to come never was. `AppError` `override_not_found`, `oncall_invalid` when it is over. */
  removeOverride(scheduleId: string, id: string, by: string): Promise<void> {
    return this.#alone(async () => {
      const { db, clock, ids } = this.#deps;
      const nowMs = clock.now();
      const found = this.#overrides.find((one) => one.id === id && one.schedule === scheduleId);
      if (found === undefined)
        throw new AppError('not_found', ONCALL_CODES.overrideNotFound, `the schedule "${scheduleId}" has no override ${id}`);
      if (found.toMs <= nowMs) throw invalid('the override is over; what was stays', 'id');
      await db.transaction().execute(async (trx) => {
        await endOverride(trx, found, nowMs);
        const data = { ...found, taken_back_by: by };
        await appendEvent(trx, { kind: 'oncall.override_ended', dedupKey: id, atMs: nowMs, data, retentionClass: 'audit' }, { ids, nowMs });
      });
      this.#overrides = this.#overrides.flatMap((one) => (one.id === id ? ended(one, nowMs) : [one]));
      this.#changed();
    });
  }

  #judgeOverride({ id, zone }: ScheduleSpec, draft: OverrideDraft, nowMs: EpochMs): void {
    if (draft.fromMs >= draft.toMs) throw invalid('the override ends before it begins', 'to');
    if (draft.toMs <= nowMs) throw invalid('that time is over', 'to');
    if (draft.toMs - draft.fromMs > MAX_OVERRIDE_MS) throw invalid('an override lasts at most a year', 'to');
    const ahead = this.#overrides.filter((one) => one.schedule === id && one.toMs > nowMs);
    if (ahead.length >= MAX_OVERRIDES) throw invalid(`the schedule "${id}" has ${MAX_OVERRIDES} overrides ahead already`, 'from');
    const conflicts = ahead.filter((one) => one.fromMs < draft.toMs && one.toMs > draft.fromMs);
    if (conflicts.length === 0) return;
    const said = conflicts.map(
      (one) => `${one.person} from ${clockText(one.fromMs, zone)} to ${clockText(one.toMs, zone)} (${zone}), said by ${one.by}`,
    );
    const message = `there is an override for that time already: ${said.join('; ')}. Take it back, or choose another time`;
    throw new AppError('conflict', ONCALL_CODES.overrideConflict, message, {
      field: 'from',
      details: conflicts.map((one) => ({ id: one.id, person: one.person, from_at_ms: one.fromMs, to_at_ms: one.toMs, by: one.by })),
    });
  }

  async #savePerson(spec: Person, by: string): Promise<InForce<Person>> {
    spec.contacts.forEach((contact, index) => {
      const fault = this.#deps.contactFault(contact);
      if (fault !== undefined) throw invalid(fault, `contacts.${index}`);
    });
    const same = spec.user === undefined ? undefined : this.#people.list().find((one) => one.spec.user === spec.user)?.spec.id;
    if (same !== undefined && same !== spec.id) throw invalid(`"${spec.user}" signs in as "${same}" already`, 'user');
    return this.#save('person', this.#people, { spec, by });
  }

  async #saveSchedule(spec: ScheduleSpec, by: string): Promise<InForce<ScheduleSpec>> {
    const stranger = [...membersOf(spec)].find((id) => this.#people.get(id) === undefined);
    if (stranger !== undefined) throw invalid(`there is no person "${stranger}"`, 'layers');
    return this.#save('schedule', this.#schedules, { spec, by });
  }

  async #save<Spec extends { readonly id: string }>(
    kind: string,
    standing: Standing<Spec>,
    { spec, by }: { readonly spec: Spec; readonly by: string },
  ): Promise<InForce<Spec>> {
    const saved = standing.next(spec, this.#deps.clock.now());
    const { revision, changedAtMs } = saved;
    const row = { kind, id: spec.id, spec: JSON.stringify(spec), revision, made_by: by, made_at_ms: changedAtMs };
    await saveSpec(this.#deps.db, row);
    standing.put(saved);
    this.#changed();
    return saved;
  }

  #askedOf(schedule: Schedule): Asked {
    const { id } = schedule.spec;
    return {
      schedule,
      overrides: this.#overrides.filter((one) => one.schedule === id),
      isKnown: (person) => this.#people.get(person) !== undefined,
    };
  }

  #recompile(): void {
    this.#compiled = new Map(this.#schedules.list().map(({ spec }) => [spec.id, compileSchedule(spec)]));
    this.#version++;
  }

  #changed(): void {
    this.#recompile();
    this.#deps.bus.publish({ topic: 'notifications', type: 'oncall.changed', atMs: this.#deps.clock.now(), data: null });
  }
}

/** An override that is taken back at an instant: what was of it stays. */
const ended = (one: Override, nowMs: EpochMs): readonly Override[] => (one.fromMs < nowMs ? [{ ...one, toMs: nowMs }] : []);

const endOverride = (db: Sql, one: Override, nowMs: EpochMs): Promise<void> =>
  one.fromMs < nowMs ? cutOverride(db, one.id, nowMs) : deleteOverride(db, one.id);

/** Who changes something, and which revision they read. */
export type Change = { readonly by: string; readonly revision?: number | undefined };

const invalid = (message: string, field: string): AppError => new AppError('bad_input', ONCALL_CODES.invalid, message, { field });

function sameId(id: string, written: string): void {
  if (written !== id) throw invalid('the id cannot change', 'id');
}
