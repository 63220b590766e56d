import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import { DAY_MS, type EpochMs, epochMs } from '@nines/base/units.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import { TEAM_LABEL, isFull } from '@nines/model/scope.ts';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { plainText } from '../platform/config/fields.ts';
import type { Actor, Http } from '../platform/http/contract.ts';
import { instant } from '../platform/http/fields.ts';
import type { Calendars } from './calendars.ts';
import { ONCALL_CODES, membersOf, personSchema, scheduleSchema } from './contract.ts';
import type { Asked } from './evaluate.ts';
import type { Roster } from './service.ts';
import { type KnownTurn, turnsOf } from './store.ts';
import {
  calendarView,
  gapsOf,
  gapsView,
  overrideToWire,
  overrideView,
  personToWire,
  personView,
  scheduleToWire,
  scheduleView,
  shiftsOf,
  shiftsView,
  turnView,
  whoOf,
  whoView,
} from './views.ts';

/** Longest span of one answer, and what is asked about when nobody says it. */
const MAX_RANGE_MS = 400 * DAY_MS;
const DEFAULT_RANGE_MS = 30 * DAY_MS;
/** How far ahead it is looked for who is next. */
const NEXT_WITHIN_MS = 62 * DAY_MS;
const MAX_TURNS = 10_000;
/** Shifts of all layers together in one answer. */
const MAX_SHIFTS = 20_000;

export type OncallRouteDeps = {
  readonly roster: Roster;
  readonly calendars: Calendars;
  readonly clock: Pick<Clock, 'now'>;
  /** Addresses of people are shown to those who could change them. */
  readonly mayChange: (actor: Actor) => boolean;
  readonly history: (schedule: string, span: Span & { readonly limit: number }) => ReturnType<typeof turnsOf>;
};

const TAGS = ['on-call'];
const READ = { permission: 'read', scoped: { names: { params: { id: 'schedule' }, query: { schedule: 'schedule' } } } } as const;
const READ_SCHEDULES = { permission: 'read', scoped: { id: 'schedule' } } as const;
/** Of addresses of people. */
const READ_CONTACTS = { permission: 'read', audit: 'read', scoped: 'handler' } as const;
const OPERATE = { permission: 'operate' as const };
const byId = z.object({ id: z.string() });
const revision = z.object({ revision: z.coerce.number().int().min(0).optional() });
const range = z.object({ from: instant.optional(), to: instant.optional() });

/** People, schedules, overrides, who is on call, and calendars to read it in. */
export function oncallRoutes(http: Http, deps: OncallRouteDeps): void {
  peopleRoutes(http, deps);
  scheduleRoutes(http, deps);
  shiftRoutes(http, deps);
  overrideRoutes(http, deps);
  calendarRoutes(http, deps);
}

/** The people of schedules that are seen; undefined is everybody. */
function peopleSeen(roster: Roster, request: Pick<FastifyRequest, 'actor' | 'sees'>): ReadonlySet<string> | undefined {
  if (isFull(request.actor.scope)) return undefined;
  const seen = roster.schedules.list().filter(({ spec }) => spec.team !== undefined && request.sees({ [TEAM_LABEL]: spec.team }));
  return new Set(seen.flatMap(({ spec }) => [...membersOf(spec), ...roster.asked(spec.id).overrides.map(({ person }) => person)]));
}

function peopleRoutes(http: Http, { roster, mayChange }: OncallRouteDeps): void {
  // Who sees a part changes nobody.
  const mayReadContacts = (actor: Actor): boolean => isFull(actor.scope) && mayChange(actor);
  http.get(
    '/api/oncall/people',
    { config: READ_CONTACTS, schema: { summary: 'People', tags: TAGS, response: { 200: z.object({ items: z.array(personView) }) } } },
    (request) => {
      const { actor } = request;
      const seen = peopleSeen(roster, request);
      const list = roster.people.list().filter(({ spec }) => seen?.has(spec.id) ?? true);
      return Promise.resolve({ items: list.map((one) => personToWire(one, mayReadContacts(actor))) });
    },
  );
  http.get(
    '/api/oncall/people/:id',
    { config: READ_CONTACTS, schema: { summary: 'One person', tags: TAGS, params: byId, response: { 200: personView } } },
    (request) => {
      const { actor, params } = request;
      const seen = peopleSeen(roster, request);
      const person = roster.people.find(params.id, (one) => seen?.has(one) ?? true);
      return Promise.resolve(personToWire(person, mayReadContacts(actor)));
    },
  );
  http.post(
    '/api/oncall/people',
    { config: OPERATE, schema: { summary: 'Add a person', tags: TAGS, body: personSchema, response: { 201: personView } } },
    async (request, reply) => reply.code(201).send(personToWire(await roster.createPerson(request.body, request.actor.name), true)),
  );
  http.put(
    '/api/oncall/people/:id',
    {
      config: OPERATE,
      schema: {
        summary: 'Change a person; with `revision` only when nobody else did meanwhile',
        tags: TAGS,
        params: byId,
        querystring: revision,
        body: personSchema,
        response: { 200: personView },
      },
    },
    async (request) => {
      const change = { by: request.actor.name, revision: request.query.revision };
      return personToWire(await roster.updatePerson(request.params.id, request.body, change), true);
    },
  );
  http.delete(
    '/api/oncall/people/:id',
    { config: OPERATE, schema: { summary: 'Remove a person who is in no schedule and no override', tags: TAGS, params: byId } },
    async (request, reply) => {
      await roster.removePerson(request.params.id);
      return reply.code(204).send();
    },
  );
}

function scheduleRoutes(http: Http, { roster }: OncallRouteDeps): void {
  http.get(
    '/api/oncall/schedules',
    { config: READ_SCHEDULES, schema: { summary: 'Schedules', tags: TAGS, response: { 200: z.object({ items: z.array(scheduleView) }) } } },
    () => Promise.resolve({ items: roster.schedules.list().map(scheduleToWire) }),
  );
  http.get(
    '/api/oncall/schedules/:id',
    { config: READ, schema: { summary: 'One schedule', tags: TAGS, params: byId, response: { 200: scheduleView } } },
    (request) => Promise.resolve(scheduleToWire(roster.schedules.find(request.params.id))),
  );
  http.post(
    '/api/oncall/schedules',
    { config: OPERATE, schema: { summary: 'Make a schedule', tags: TAGS, body: scheduleSchema, response: { 201: scheduleView } } },
    async (request, reply) => reply.code(201).send(scheduleToWire(await roster.createSchedule(request.body, request.actor.name))),
  );
  http.put(
    '/api/oncall/schedules/:id',
    {
      config: OPERATE,
      schema: {
        summary: 'Change a schedule; with `revision` only when nobody else did meanwhile',
        tags: TAGS,
        params: byId,
        querystring: revision,
        body: scheduleSchema,
        response: { 200: scheduleView },
      },
    },
    async (request) => {
      const change = { by: request.actor.name, revision: request.query.revision };
      return scheduleToWire(await roster.updateSchedule(request.params.id, request.body, change));
    },
  );
  http.delete(
    '/api/oncall/schedules/:id',
    { config: OPERATE, schema: { summary: 'Remove a schedule; its overrides end with it', tags: TAGS, params: byId } },
    async (request, reply) => {
      await roster.removeSchedule(request.params.id);
      return reply.code(204).send();
    },
  );
}

function shiftRoutes(http: Http, { roster, clock, history }: OncallRouteDeps): void {
  http.get(
    '/api/oncall/who',
    {
      config: READ,
      schema: {
        summary: 'Who is on call, of one schedule or of all, now or at an instant, and why',
        tags: TAGS,
        querystring: z.object({ schedule: z.string().optional(), at: instant.optional() }),
        response: { 200: z.object({ items: z.array(whoView) }) },
      },
    },
    (request) => {
      const { schedule, at } = request.query;
      const fromMs = at ?? clock.now();
      const ids = schedule === undefined ? roster.schedules.list().map(({ spec }) => spec.id) : [schedule];
      const span = { fromMs, toMs: epochMs(fromMs + NEXT_WITHIN_MS) };
      const named = (id: string) => ({ id, name: roster.directory.get(id)?.name ?? id });
      return Promise.resolve({ items: ids.map((id) => whoOf(roster.asked(id), span, named)) });
    },
  );
  const within = { config: READ, schema: { tags: TAGS, params: byId, querystring: range } };
  http.get(
    '/api/oncall/schedules/:id/shifts',
    {
      ...within,
      schema: { ...within.schema, summary: 'Shifts of each layer, overrides, and what comes of them', response: { 200: shiftsView } },
    },
    (request) => Promise.resolve(shiftsOf(...askedWithin(roster, request.params.id, spanOf(request.query, clock.now())))),
  );
  http.get(
    '/api/oncall/schedules/:id/gaps',
    { ...within, schema: { ...within.schema, summary: 'When nobody is on call, and why', response: { 200: gapsView } } },
    (request) => Promise.resolve(gapsOf(...askedWithin(roster, request.params.id, spanOf(request.query, clock.now())))),
  );
  http.get(
    '/api/oncall/schedules/:id/history',
    {
      ...within,
      schema: {
        ...within.schema,
        summary: 'Who was on call from when on, as it was then; changes of the schedule change none of it',
        response: { 200: z.object({ items: z.array(turnView) }) },
      },
    },
    async (request) => {
      const nowMs = clock.now();
      roster.schedules.find(request.params.id);
      const { from = epochMs(nowMs - DEFAULT_RANGE_MS), to = nowMs } = request.query;
      const turns = await history(request.params.id, { ...spanOf({ from, to }, nowMs), limit: MAX_TURNS });
      return { items: turns.map(turnToWire) };
    },
  );
}

const turnToWire = ({ fromMs, people, reason }: KnownTurn) => ({ from_at_ms: fromMs, people: [...people], reason });

function spanOf({ from, to }: { readonly from?: EpochMs | undefined; readonly to?: EpochMs | undefined }, nowMs: EpochMs): Span {
  const fromMs = from ?? nowMs;
  const toMs = to ?? epochMs(fromMs + DEFAULT_RANGE_MS);
  if (fromMs < toMs && toMs - fromMs <= MAX_RANGE_MS) return { fromMs, toMs };
  throw new AppError('bad_input', ONCALL_CODES.invalid, 'from must be before to, by at most 400 days', { field: 'from' });
}

/** `AppError` `oncall_invalid` when the layers have more shifts in the span than one answer takes. */
function askedWithin(roster: Roster, schedule: string, span: Span): readonly [Asked, Span] {
  const asked = roster.asked(schedule);
  const shifts = asked.schedule.layers.reduce((sum, { rotation }) => sum + (span.toMs - span.fromMs) / rotation.lengthMs, 0);
  if (shifts <= MAX_SHIFTS) return [asked, span];
  const message = `the layers have ${Math.ceil(shifts)} shifts in that time, ${MAX_SHIFTS} at most in one answer: ask for a shorter one`;
  throw new AppError('bad_input', ONCALL_CODES.invalid, message, { field: 'to' });
}

function overrideRoutes(http: Http, { roster }: OncallRouteDeps): void {
  http.post(
    '/api/oncall/schedules/:id/overrides',
    {
      config: OPERATE,
      schema: {
        summary: 'Somebody takes over from an instant to another, whatever the layers say',
        tags: TAGS,
        params: byId,
        body: z.strictObject({ person: z.string().min(1), from: instant, to: instant, note: plainText.max(1_000).default('') }),
        response: { 201: overrideView },
      },
    },
    async (request, reply) => {
      const { person, from, to, note } = request.body;
      const made = await roster.createOverride(request.params.id, { person, fromMs: from, toMs: to, note }, request.actor.name);
      return reply.code(201).send(overrideToWire(made));
    },
  );
  http.delete(
    '/api/oncall/schedules/:id/overrides/:override',
    {
      config: OPERATE,
      schema: {
        summary: 'Take an override back: one that goes on ends now, one to come never was',
        tags: TAGS,
        params: z.object({ id: z.string(), override: z.string() }),
      },
    },
    async (request, reply) => {
      await roster.removeOverride(request.params.id, request.params.override, request.actor.name);
      return reply.code(204).send();
    },
  );
}

function calendarRoutes(http: Http, { calendars }: OncallRouteDeps): void {
  http.get(
    '/api/oncall/calendars',
    {
      config: OPERATE,
      schema: {
        summary: 'Links to calendars, without their secrets',
        tags: TAGS,
        response: { 200: z.object({ items: z.array(calendarView) }) },
      },
    },
    async () => ({ items: (await calendars.list()).map((row) => calendarView.parse(row)) }),
  );
  http.post(
    '/api/oncall/calendars',
    {
      config: OPERATE,
      schema: {
        summary: 'Make a link under which calendar programs read the shifts of a schedule or of a person; it is shown this once',
        tags: TAGS,
        body: z.strictObject({ kind: z.enum(['person', 'schedule']), subject: z.string().min(1) }),
        response: { 201: calendarView.extend({ url: z.string() }) },
      },
    },
    async (request, reply) => {
      const { row, url } = await calendars.make(request.body, request.actor.name);
      return reply.code(201).send({ ...calendarView.parse(row), url });
    },
  );
  http.delete(
    '/api/oncall/calendars/:id',
    { config: OPERATE, schema: { summary: 'Revoke a link to a calendar', tags: TAGS, params: byId } },
    async (request, reply) => {
      await calendars.revoke(request.params.id);
      return reply.code(204).send();
    },
  );
  http.get(
    '/api/oncall/feeds/:file',
    {
      config: { permission: 'public' },
      schema: {
        summary: 'Shifts as iCalendar (RFC 5545); the secret is in the address',
        tags: TAGS,
        params: z.object({ file: z.string().max(200) }),
      },
    },
    async (request, reply) => {
      const text = await calendars.feed(request.params.file.replace(/\.ics$/, ''));
      return reply
        .header('cache-control', 'private, no-cache')
        .header('x-robots-tag', 'noindex')
        .type('text/calendar; charset=utf-8')
        .send(text);
    },
  );
}
