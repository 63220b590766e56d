import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import { parseDuration } from '@nines/base/duration.ts';
import { parseInstant } from '@nines/base/instant.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { z } from 'zod';
import { type Notifications, notificationView } from '../notify/contract.ts';
import type { Actor, Http } from '../platform/http/contract.ts';
import { instant } from '../platform/http/fields.ts';
import { ALERT_STATES, type AlertView, SEVERITIES } from './contract.ts';
import type { Action } from './handle.ts';
import type { AlertingService } from './service.ts';

/** Most alerts in one page, and in one action over many. */
const MAX_PAGE = 1_000;
const DEFAULT_PAGE = 100;
const MAX_COMMENT_CHARS = 4_000;

const severities = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => (Array.isArray(given) ? given : [given]).flatMap((text) => text.split(',')).filter((text) => text !== ''))
  .pipe(z.array(z.enum(SEVERITIES)));

const listQuery = z.object({
  severity: severities.default([]),
  status: z.enum(['open', 'all', ...ALERT_STATES]).default('open'),
  from: instant.optional(),
  to: instant.optional(),
  /** A rule's id, or a kind. */
  source: z.string().optional(),
  service: z.string().optional(),
  cursor: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE),
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
} satisfies Record<keyof AlertView, z.ZodType>);
const transitionSchema = z.object({
  at_ms: z.number(),
  kind: z.string(),
  reason: z.string(),
  actor: z.string(),
  detail: z.record(z.string(), z.unknown()),
});
const alertPage = z.object({ items: z.array(alertSchema), next: z.string().nullable() });
const alertDetail = alertSchema.extend({ transitions: z.array(transitionSchema), deliveries: z.array(notificationView) });

/** Actions that exist; `escalate` needs escalation policies, so its path is not there. */
const ACTIONS = ['acknowledge', 'suppress', 'snooze', 'resolve', 'assign', 'comment'] as const;
type ActionName = (typeof ACTIONS)[number];

const actionFields = {
  comment: z.string().max(MAX_COMMENT_CHARS).optional(),
  /** `snooze`: an instant, or `resolved`. */
  until: z.union([z.string(), z.number().transform(String)]).optional(),
  /** `snooze`: a length such as `2h`, instead of `until`. */
  for: z.string().optional(),
  /** `assign`: a person's name; null takes the assignment away. */
  assignee: z.string().max(200).nullable().optional(),
};
const actionBody = z.strictObject(actionFields).optional();
const bulkBody = z.strictObject({ ...actionFields, ids: z.array(z.string()).min(1).max(MAX_PAGE) });
type ActionInput = Omit<z.infer<typeof bulkBody>, 'ids'>;

const bulkAnswer = z.object({
  items: z.array(
    z.object({ id: z.string(), ok: z.boolean(), alert: alertSchema.optional(), error: z.string().optional(), code: z.string().optional() }),
  ),
});

export type AlertRouteDeps = { readonly alerting: AlertingService; readonly notifications: Notifications; readonly clock: Clock };

/** Alerts: lists, one with its history, and what people do to them. */
export function alertRoutes(http: Http, deps: AlertRouteDeps): void {
  const { alerting, notifications } = deps;
  const read = { permission: 'read' } as const;
  http.get(
    '/api/alerts',
    { config: read, schema: { summary: 'Alerts, newest first', tags: ['alerts'], querystring: listQuery, response: { 200: alertPage } } },
    async (request) => {
      const { severity, from, to, source, ...query } = request.query;
      const page = await alerting.list({
        ...query,
        severities: severity,
        rule: source,
        service: query.service,
        fromMs: from,
        toMs: to,
        cursor: query.cursor,
      });
      return page as z.input<typeof alertPage>;
    },
  );
  http.get(
    '/api/alerts/:id',
    {
      config: read,
      schema: {
        summary: 'One alert with its history',
        tags: ['alerts'],
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
      return { ...alert, transitions: steps, deliveries: [...(await notifications.ofAlert(alert.id))] } as z.input<typeof alertDetail>;
    },
  );
  for (const name of ACTIONS) actionRoutes(http, name, deps);
}

function actionRoutes(http: Http, name: ActionName, { alerting, clock }: AlertRouteDeps): void {
  const operate = { permission: 'operate' } as const;
  http.post(
    `/api/alerts/:id/${name}`,
    {
      config: operate,
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
      return (await alerting.act(request.params.id, action, request.actor)) as z.input<typeof alertSchema>;
    },
  );
  http.post(
    `/api/alerts/${name}`,
    { config: operate, schema: { summary: `${title(name)} many alerts`, tags: ['alerts'], body: bulkBody, response: { 200: bulkAnswer } } },
    async (request) => {
      const { ids, ...input } = request.body;
      const action = actionOf(name, input, clock.now());
      const items = await Promise.all([...new Set(ids)].map((id) => actOnOne(alerting, { id, action, actor: request.actor })));
      return { items } as z.input<typeof bulkAnswer>;
    },
  );
}

type OneResult = { readonly id: string; readonly ok: boolean; readonly alert?: AlertView; readonly error?: string; readonly code?: string };

/** One refused alert does not stop the others. */
async function actOnOne(
  alerting: AlertingService,
  { id, action, actor }: { id: string; action: Action; actor: Actor },
): Promise<OneResult> {
  try {
    return { id, ok: true, alert: await alerting.act(id, action, actor) };
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    return { id, ok: false, error: messageOf(thrown), code: thrown.code };
  }
}

function actionOf(name: ActionName, input: ActionInput, nowMs: EpochMs): Action {
  const { comment } = input;
  switch (name) {
    case 'acknowledge':
    case 'suppress':
    case 'resolve':
      return { kind: name, comment };
    case 'snooze':
      return { kind: name, until: snoozeEnd(input, nowMs), comment };
    case 'assign':
      if (input.assignee === undefined) throw badField('assignee', 'assign needs "assignee": a name, or null for nobody');
      return { kind: name, assignee: input.assignee, comment };
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
