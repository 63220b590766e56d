import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import { DAY_MS, type EpochMs, epochMs } from '@nines/base/units.ts';
import type { Kysely } from 'kysely';
import type { OncallCalendarRow } from '../platform/db/migrations/0034-oncall.ts';
import type { Database } from '../platform/db/schema.ts';
import { digestOf } from '../platform/secret-digest.ts';
import { createTurns } from '../platform/turns.ts';
import { ONCALL_CODES, type ScheduleSpec, membersOf } from './contract.ts';
import { type Turn, reasonOf, turnsWithin } from './evaluate.ts';
import { type Calendar, type CalendarEvent, renderCalendar } from './ics.ts';
import type { Roster } from './service.ts';
import { calendars, deleteCalendar, insertCalendar, readCalendar } from './store.ts';

/** What a feed shows, to both sides of when it is read. */
const BEHIND_MS = 60 * DAY_MS;
const AHEAD_MS = 366 * DAY_MS;
const SECRET_BYTES = 24;
/** Links of one installation. */
const MAX_CALENDARS = 5_000;
const MAX_EVENTS = 10_000;

export type CalendarKind = 'person' | 'schedule';
export type CalendarSubject = { readonly kind: CalendarKind; readonly subject: string };
export type CalendarsDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly roster: Roster;
  /** The product's own address, without a trailing slash. */
  readonly externalUrl: string;
  readonly yieldNow: () => Promise<void> | undefined;
};

/** Links under which calendar programs read shifts without signing in. A link is shown once; it ends when it is revoked. */
export class Calendars {
  readonly #deps: CalendarsDeps;
  readonly #alone = createTurns();

  constructor(deps: CalendarsDeps) {
    this.#deps = deps;
  }

  list(): Promise<readonly OncallCalendarRow[]> {
    return calendars(this.#deps.db);
  }

  /** `AppError` `person_not_found`, `schedule_not_found`, `oncall_invalid` when there are too many. */
  make({ kind, subject }: CalendarSubject, by: string): Promise<{ readonly row: OncallCalendarRow; readonly url: string }> {
    return this.#alone(async () => {
      const { db, clock, ids, roster, externalUrl } = this.#deps;
      if (kind === 'person') roster.people.find(subject);
      else roster.schedules.find(subject);
      if ((await calendars(db)).length >= MAX_CALENDARS)
        throw new AppError('limited', ONCALL_CODES.invalid, `there are ${MAX_CALENDARS} links to calendars already; revoke some`);
      const token = ids.secret(SECRET_BYTES);
      const row = {
        id: ids.uuid(),
        kind,
        subject,
        token_hash: digestOf(token),
        made_by: by,
        made_at_ms: clock.now(),
        read_at_ms: null,
      };
      await insertCalendar(db, row);
      return { row, url: `${externalUrl}/api/oncall/feeds/${token}.ics` };
    });
  }

  /** `AppError` `calendar_not_found`. */
  async revoke(id: string): Promise<void> {
    if (await deleteCalendar(this.#deps.db, id)) return;
    throw new AppError('not_found', ONCALL_CODES.calendarNotFound, `there is no link ${id} to a calendar`);
  }

  /** The feed of a token. `AppError` `calendar_not_found`, also when what it showed is no more. */
  async feed(token: string): Promise<string> {
    const nowMs = this.#deps.clock.now();
    const row = await readCalendar(this.#deps.db, digestOf(token), nowMs);
    const calendar = row === undefined ? undefined : await this.#calendarOf(row, nowMs);
    if (calendar !== undefined) return renderCalendar(calendar);
    throw new AppError('not_found', ONCALL_CODES.calendarNotFound, 'this link to a calendar was revoked, or never was');
  }

  async #calendarOf({ kind, subject }: OncallCalendarRow, nowMs: EpochMs): Promise<Calendar | undefined> {
    const { roster } = this.#deps;
    const about = kind === 'person' ? roster.people.get(subject) : roster.schedules.get(subject);
    if (about === undefined) return undefined;
    const name = about.spec.name ?? subject;
    const person = kind === 'person' ? subject : undefined;
    const schedules = roster.schedules
      .list()
      .filter(({ spec }) => (person === undefined ? spec.id === subject : this.#names(spec, person)));
    const events: CalendarEvent[] = [];
    const changedAtMs: number[] = [about.changedAtMs];
    for (const { spec, changedAtMs: atMs } of schedules) {
      const found = this.#eventsOf(spec, person, nowMs);
      changedAtMs.push(atMs, found.overriddenAtMs);
      events.push(...found.events.slice(0, MAX_EVENTS - events.length));
      // Whoever has the link may read it as often as they like; others have their turn between.
      await this.#deps.yieldNow();
    }
    return { name: `On call: ${name}`, events, changedAtMs: Math.max(...changedAtMs) };
  }

  #names(spec: ScheduleSpec, person: string): boolean {
    return membersOf(spec).has(person) || this.#deps.roster.asked(spec.id).overrides.some((one) => one.person === person);
  }

  #eventsOf(spec: ScheduleSpec, person: string | undefined, nowMs: EpochMs) {
    const { roster } = this.#deps;
    const asked = roster.asked(spec.id);
    // A shift is shown whole or not at all: under the same UID it must not end elsewhere tomorrow.
    const longestMs = Math.max(...asked.schedule.layers.map(({ rotation }) => rotation.lengthMs), 0) + DAY_MS;
    const span = { fromMs: epochMs(nowMs - BEHIND_MS - longestMs), toMs: epochMs(nowMs + AHEAD_MS + longestMs) };
    const turns = turnsWithin(asked, span).filter(
      (turn) =>
        turn.fromMs > span.fromMs &&
        turn.toMs < span.toMs &&
        turn.toMs > nowMs - BEHIND_MS &&
        turn.fromMs < nowMs + AHEAD_MS &&
        turn.people.length > 0 &&
        (person === undefined || turn.people.includes(person)),
    );
    const events = turns.map(
      (turn): CalendarEvent => ({
        uid: uidOf(spec.id, turn),
        fromMs: turn.fromMs,
        toMs: turn.toMs,
        summary: `${turn.people.map((id) => roster.directory.get(id)?.name ?? id).join(', ')} on call: ${spec.name ?? spec.id}`,
        description: reasonOf(turn.source, asked, turn.fromMs),
      }),
    );
    return { events, overriddenAtMs: Math.max(0, ...asked.overrides.map(({ madeAtMs }) => madeAtMs)) };
  }
}

/** Names a turn by what it is part of and when it begins, so that programs know it again. */
function uidOf(schedule: string, { source, fromMs }: Turn): string {
  const key = source.kind === 'override' ? source.override.id : source.kind === 'layer' ? encodeURIComponent(source.layer.name) : 'nobody';
  return `${schedule}.${key}.${fromMs}@nines`;
}
