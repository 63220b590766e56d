import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import { parseDuration } from '@nines/base/duration.ts';
import { parseInstant } from '@nines/base/instant.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { parseMatchers } from '@nines/base/matcher-text.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { labelsToRecord } from '@nines/model/labels.ts';
import { isFull } from '@nines/model/scope.ts';
import { z } from 'zod';
import { type Notifications, causeWithin, notificationView } from '../notify/contract.ts';
import { plainText } from '../platform/config/fields.ts';
import type { Actor, Http, ScopedThings } from '../platform/http/contract.ts';
import { instant } from '../platform/http/fields.ts';
import { ALERT_STATES, type AlertView, SEVERITIES } from './contract.ts';
import type { Action } from './handle.ts';
import { type AlertSearch, GROUPINGS, type Grouping, ORDERS } from './search.ts';
import type { Acted, AlertingService } from './service.ts';
import { DETAILED_CHARS, LISTED_CHARS, cutView } from './view.ts';

const ALERTS: ScopedThings = { names: { params: { id: 'alert' } }, id: 'alert' };

/** Most alerts in one page, and in one action over many. */
const MAX_PAGE = 1_000;
const DEFAULT_PAGE = 100;
const MAX_COMMENT_CHARS = 4_000;
const MAX_TEXT_CHARS = 200;
/** Most groups in an answer; the rest is counted. */
const MAX_GROUPS = 500;

const severities = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => (Array.isArray(given) ? given : [given]).flatMap((text) => text.split(',')).filter((text) => text !== ''))
  .pipe(z.array(z.enum(SEVERITIES)));

/** `severity="critical"`, once or many times; each field may hold several. */
const matchers = z.union([z.string(), z.array(z.string())]).transform((given, context): readonly Matcher[] => {
  const found: Matcher[] = [];
  for (const text of Array.isArray(given) ? given : [given]) {
    const parsed = parseMatchers(text);
    if (parsed.ok) found.push(...parsed.value);
    else context.addIssue({ code: 'custom', message: parsed.error });
  }
  return found;
});

const searchFields = {
  severity: severities.default([]),
  from: instant.optional(),
  to: instant.optional(),
  /** A rule's id, or a kind. */
  source: z.string().optional(),
  service: z.string().optional(),
  problem: z.string().optional(),
  /** A person's name, `me`, or `nobody`. */
  assigned: z.string().optional(),
  /** A text in the name, the rule, a label's value or the summary. */
  q: z.string().max(MAX_TEXT_CHARS).optional(),
  label: matchers.optional(),
};
type SearchInput = z.output<z.ZodObject<typeof searchFields>>;

/** The same words in the list, the counts and the groups. */
const statuses = z.enum(['open', 'all', ...ALERT_STATES]).default('open');

const listQuery = z.object({
  ...searchFields,
  status: statuses,
  order: z.enum(ORDERS).default('newest'),
  cursor: z.string().optional(),
  /** With `order=urgency`: where the page begins, counted from the first of what is open, instead of a cursor. The answer says how many there are. */
  offset: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE),
});

const countsQuery = z.object({ ...searchFields, status: statuses });
const groupsQuery = countsQuery.extend({
  by: z.union([
    z.enum(GROUPINGS),
    z
      .string()
      .regex(/^label:.+$/, `not a way to group: write one of ${GROUPINGS.join(', ')}, or label:NAME`)
      .transform((text) => text as Grouping),
  ]),
});

type Asking = { readonly actor: Actor; sees(labels: Readonly<Record<string, string>>): boolean };

function searchOf({ severity, from, to, source, service, problem, assigned, q, label }: SearchInput, asking: Asking): AlertSearch {
  const { actor } = asking;
  const person = assigned === 'me' ? actor.name : assigned === 'nobody' ? '' : assigned;
  const text = q === undefined || q.trim() === '' ? undefined : q.trim();
  return {
    severities: severity,
    rule: source,
    service,
    problem,
    fromMs: from,
    toMs: to,
    assigned: person,
    text,
    ...(label && { matchers: label }),
    ...(!isFull(actor.scope) && { sees: (record) => asking.sees(ownLabels(record)) }),
  };
}

const ownLabels = ({ service, labels }: Parameters<NonNullable<AlertSearch['sees']>>[0]): Readonly<Record<string, string>> => ({
  ...(service === null ? {} : { service }),
  ...labelsToRecord(labels),
});

/** Pages of the alerts that somebody sees, newest first, whatever became of them. */
export const alertsFor =
  (alerting: Pick<AlertingService, 'list'>) =>
  (asking: Asking) =>
  (span: { readonly fromMs: EpochMs; readonly toMs: EpochMs }, page: { readonly cursor: string | undefined; readonly limit: number }) =>
    alerting.list({
      severities: [],
      rule: undefined,
      service: undefined,
      ...span,
      ...page,
      status: 'all',
      order: 'newest',
      ...(!isFull(asking.actor.scope) && { sees: (record) => asking.sees(ownLabels(record)) }),
    });

/** An alert as it is answered; a field that `AlertView` gains is missed here by the compiler. */
const alertSchema = z.object({
  id: z.string(),
  fingerprint: z.string(),
  kind: z.string(),
  rule: z.string(),
  alertname: z.string(),
  state: z.enum(ALERT_STATES),
  condition: z.enum(['pending', 'firing', 'resolved']),
  severity: z.enum(SEVERITIES),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
  value: z.number().nullable(),
  active_at_ms: z.number(),
  starts_at_ms: z.number(),
  keep_firing_since_ms: z.number().nullable(),
  ends_at_ms: z.number().nullable(),
  acknowledged_by: z.string().nullable(),
  acknowledged_at_ms: z.number().nullable(),
  suppressed_by: z.string().nullable(),
  suppressed_at_ms: z.number().nullable(),
  snoozed_until_ms: z.number().nullable(),
  snoozed_until_resolved: z.boolean(),
  assigned_to: z.string().nullable(),
  held_back: z.string().nullable(),
  generator_url: z.string().nullable(),
  service: z.string().nullable(),
  problem: z.string().nullable(),
  flapping_since_ms: z.number().nullable(),
} satisfies Record<keyof AlertView, z.ZodType>);
const transitionSchema = z.object({
  at_ms: z.number(),
  kind: z.string(),
  reason: z.string(),
  actor: z.string(),
  detail: z.record(z.string(), z.unknown()),
});
const alertPage = z.object({ items: z.array(alertSchema), next: z.string().nullable(), total: z.number().optional() });
const countsAnswer = z.object({
  total: z.number(),
  /** Those that wait for somebody. */
  firing: z.number(),
  by_severity: z.record(z.enum(SEVERITIES), z.record(z.enum(ALERT_STATES), z.number())),
});
const groupsAnswer = z.object({
  items: z.array(
    z.object({ key: z.string(), total: z.number(), firing: z.number(), severity: z.enum(SEVERITIES), newest_at_ms: z.number() }),
  ),
  total: z.number(),
});
const alertDetail = alertSchema.extend({
  /** What keeps it from people now, beside its handling: a silence, or an alert that explains it. */
  kept_by: z.string().nullable(),
  transitions: z.array(transitionSchema),
  deliveries: z.array(notificationView),
});

/** What people do to alerts, one path each. */
const ACTIONS = [
  'acknowledge',
  'unacknowledge',
  'suppress',
  'unsuppress',
  'snooze',
  'unsnooze',
  'resolve',
  'assign',
  'escalate',
  'comment',
] as const;
type ActionName = (typeof ACTIONS)[number];

const actionFields = {
  comment: plainText.max(MAX_COMMENT_CHARS).optional(),
  /** `snooze`: an instant, or `resolved`. */
  until: z.union([z.string(), z.number().transform(String)]).optional(),
  /** `snooze`: a length such as `2h`, instead of `until`. */
  for: z.string().optional(),
  /** `assign`: a person's name; null takes the assignment away. */
  assignee: plainText.trim().min(1, 'write a name, or null for nobody').max(200).nullable().optional(),
  /** `escalate`: a policy, where none applies to the alert. */
  policy: z.string().max(100).optional(),
};
const actionBody = z.strictObject(actionFields).optional();
const bulkBody = z.strictObject({ ...actionFields, ids: z.array(z.string()).min(1).max(MAX_PAGE) });
type ActionInput = Omit<z.infer<typeof bulkBody>, 'ids'>;

const bulkAnswer = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      ok: z.boolean(),
      /** False when it was so before. */
      changed: z.boolean().optional(),
      alert: alertSchema.optional(),
      error: z.string().optional(),
      code: z.string().optional(),
    }),
  ),
});

export type AlertRouteDeps = { readonly alerting: AlertingService; readonly notifications: Notifications; readonly clock: Clock };

/** Alerts: lists, one with its history, and what people do to them. */
export function alertRoutes(http: Http, deps: AlertRouteDeps): void {
  listRoutes(http, deps);
  detailRoute(http, deps);
  for (const name of ACTIONS) actionRoutes(http, name, deps);
}

const read = { permission: 'read' } as const;
const tags = ['alerts'];

function listRoutes(http: Http, { alerting }: AlertRouteDeps): void {
  http.get(
    '/api/alerts',
    {
      // The page is counted within the scope; what its alerts say of others is taken out of them.
      config: { ...read, scoped: {} },
      schema: { summary: 'Alerts, newest first or worst first', tags, querystring: listQuery, response: { 200: alertPage } },
    },
    async (request) => {
      const { status, order, cursor, offset, limit } = request.query;
      if (offset !== undefined && (order !== 'urgency' || status === 'all' || status === 'resolved'))
        throw badField('offset', 'only alerts that are open have places, with order=urgency: follow "next" with "cursor" instead');
      const page = await alerting.list({ ...searchOf(request.query, request), status, order, cursor, offset, limit });
      return { ...page, items: page.items.map((view) => cutView(view, LISTED_CHARS)) } as z.input<typeof alertPage>;
    },
  );
  http.get(
    '/api/alerts/counts',
    {
      config: { ...read, scoped: 'handler' },
      schema: {
        summary: 'How many alerts there are; of those that ended the newest 10 000 count',
        tags,
        querystring: countsQuery,
        response: { 200: countsAnswer },
      },
    },
    async (request) => {
      const { bySeverity, ...counts } = await alerting.counts({ ...searchOf(request.query, request), state: request.query.status });
      return { ...counts, by_severity: bySeverity };
    },
  );
  http.get(
    '/api/alerts/groups',
    {
      config: { ...read, scoped: 'handler' },
      schema: {
        summary: 'Alerts by what they have in common; of those that ended the newest 10 000',
        tags,
        querystring: groupsQuery,
        response: { 200: groupsAnswer },
      },
    },
    async (request) => {
      const { by, status } = request.query;
      const groups = await alerting.groups({ ...searchOf(request.query, request), state: status }, by as Grouping);
      const items = groups
        .slice(0, MAX_GROUPS)
        .map(({ key, total, firing, worst, newestAtMs }) => ({ key, total, firing, severity: worst, newest_at_ms: newestAtMs }));
      return { items, total: groups.length };
    },
  );
}

function detailRoute(http: Http, { alerting, notifications, clock }: AlertRouteDeps): void {
  http.get(
    '/api/alerts/:id',
    {
      config: { ...read, scoped: ALERTS },
      schema: {
        summary: 'One alert with its history',
        tags,
        params: z.object({ id: z.string() }),
        response: { 200: alertDetail },
      },
    },
    async (request) => {
      const { alert, transitions } = await alerting.get(request.params.id);
      const steps = transitions.map(({ at_ms, kind, reason, actor, detail }) => ({
        at_ms,
        kind,
        reason,
        actor,
        detail: JSON.parse(detail) as Record<string, unknown>,
      }));
      const sent = await notifications.ofAlert(alert.id);
      const deliveries = isFull(request.actor.scope) ? [...sent] : sent.map((one) => ({ ...one, cause: causeWithin(one) }));
      const keptBy = alert.condition === 'firing' ? (notifications.keeping(alert.labels, clock.now())?.cause ?? null) : null;
      // What keeps it may be somebody else's.
      const shown = keptBy === null || isFull(request.actor.scope) ? keptBy : 'a silence, or an alert that explains it';
      return { ...cutView(alert, DETAILED_CHARS), kept_by: shown, transitions: steps, deliveries } as z.input<typeof alertDetail>;
    },
  );
}

function actionRoutes(http: Http, name: ActionName, { alerting, clock }: AlertRouteDeps): void {
  const operate = { permission: 'operate', action: name } as const;
  http.post(
    `/api/alerts/:id/${name}`,
    {
      config: { ...operate, scoped: ALERTS },
      schema: {
        summary: `${title(name)} one alert`,
        tags: ['alerts'],
        params: z.object({ id: z.string() }),
        body: actionBody,
        response: { 200: alertSchema },
      },
    },
    async (request) => {
      const action = actionOf(name, request.body ?? {}, clock.now());
      return cutView(await alerting.act(request.params.id, action, request.actor), LISTED_CHARS) as z.input<typeof alertSchema>;
    },
  );
  http.post(
    `/api/alerts/${name}`,
    {
      config: { ...operate, scoped: { names: { body: { ids: 'alert' } } } },
      schema: { summary: `${title(name)} many alerts`, tags: ['alerts'], body: bulkBody, response: { 200: bulkAnswer } },
    },
    async (request) => {
      const { ids, ...input } = request.body;
      const action = actionOf(name, input, clock.now());
      const items = (await alerting.actOnMany(ids, action, request.actor)).map(actedView);
      return { items } as z.input<typeof bulkAnswer>;
    },
  );
}

function actedView(acted: Acted): object {
  if (acted.ok) return { ...acted, alert: cutView(acted.alert, LISTED_CHARS) };
  const { id, ok, refused } = acted;
  return { id, ok, error: refused.message, code: refused.code };
}

function actionOf(name: ActionName, input: ActionInput, nowMs: EpochMs): Action {
  const { comment } = input;
  switch (name) {
    case 'acknowledge':
    case 'unacknowledge':
    case 'suppress':
    case 'unsuppress':
    case 'unsnooze':
    case 'resolve':
      return { kind: name, comment };
    case 'snooze':
      return { kind: name, until: snoozeEnd(input, nowMs), comment };
    case 'assign':
      if (input.assignee === undefined) throw badField('assignee', 'assign needs "assignee": a name, or null for nobody');
      return { kind: name, assignee: input.assignee, comment };
    case 'escalate':
      return { kind: name, policy: input.policy, comment };
    case 'comment':
      if (comment === undefined || comment.trim() === '') throw badField('comment', 'comment needs "comment": a text');
      return { kind: name, comment };
  }
}

function snoozeEnd(input: ActionInput, nowMs: EpochMs): EpochMs | 'resolved' {
  if (input.until === 'resolved') return 'resolved';
  const parsed = input.for === undefined ? parseInstant(input.until ?? '') : parseDuration(input.for);
  if (input.for === undefined && input.until === undefined)
    throw badField('until', 'snooze needs "until" (an instant or "resolved") or "for" (a length)');
  if (!parsed.ok) throw badField(input.for === undefined ? 'until' : 'for', parsed.error);
  return epochMs(input.for === undefined ? parsed.value : nowMs + parsed.value);
}

const badField = (field: string, message: string): AppError => new AppError('bad_input', 'invalid_request', message, { field });
const title = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
