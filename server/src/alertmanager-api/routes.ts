import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Result } from '@nines/base/result.ts';
import { isFull } from '@nines/model/scope.ts';
import type { Scope } from '@nines/model/storage.ts';
import { z } from 'zod';
import type { Alerting } from '../alerting/contract.ts';
import type { Inhibition, Routes } from '../notify/contract.ts';
import type { Http, Inside } from '../platform/http/contract.ts';
import { draftWithin, ownSilence, seenSilence, seesSilence, type Silence, type SilenceBook } from '../silences/contract.ts';
import { VERSION } from '../version.ts';
import {
  MAX_POST_BYTES,
  type GettableAlert,
  alertGroup,
  alertmanagerStatus,
  gettableAlert,
  gettableSilence,
  postableAlerts,
  postableSilence,
} from './contract.ts';
import type { ReceivedAlerts } from './service.ts';
import {
  type AlertFacts,
  type AlertQuery,
  alertToWire,
  draftFrom,
  groupsOf,
  keepsAlert,
  keepsSilence,
  matchersFrom,
  receiverPattern,
  silenceToWire,
} from './view.ts';

/** The version of Alertmanager whose API this is; clients choose what they send by it. */
const SPOKEN_VERSION = '0.28.0';

export type AlertmanagerApiDeps = {
  readonly received: ReceivedAlerts;
  readonly silences: SilenceBook;
  readonly alerting: Pick<Alerting, 'open'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly startedAtMs: number;
  readonly inside: Inside;
  /** Whether a service is there and outside the scope. */
  readonly isForeign: (scope: Scope, service: string) => boolean;
  /** What keeps an alert with these labels from people while it fires. */
  readonly inhibiting: (labels: Readonly<Record<string, string>>) => Inhibition | undefined;
  /** What routing says now: where labels lead, its receivers, and the whole in Alertmanager's own form. */
  readonly routing: () => { readonly routes: Routes; readonly receivers: readonly string[]; readonly written: string };
};

const flag = z.stringbool().default(true);
const texts = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => (Array.isArray(given) ? given : [given]))
  .default([]);
const receiverQuery = { receiver: z.string().max(1_000).optional(), receiver_matchers: texts };
const alertsQuery = z.object({ active: flag, silenced: flag, inhibited: flag, unprocessed: flag, filter: texts, ...receiverQuery });
const groupsQuery = z.object({ active: flag, silenced: flag, inhibited: flag, muted: flag, filter: texts, ...receiverQuery });
const tags = ['alertmanager'];
const read = { permission: 'read', errors: 'alertmanager' } as const;

/** Alertmanager's API v2. Errors are JSON strings, as there. */
export function alertmanagerApiRoutes(http: Http, deps: AlertmanagerApiDeps): void {
  generalRoutes(http, deps);
  alertRoutes(http, deps);
  silenceRoutes(http, deps.silences);
}

/** The value, or a refusal with the reason. */
function valid<T>(result: Result<T, string>): T {
  if (result.ok) return result.value;
  throw new AppError('bad_input', 'bad_request', result.error);
}

function generalRoutes(http: Http, { startedAtMs, routing }: AlertmanagerApiDeps): void {
  http.get(
    '/api/v2/status',
    { config: read, schema: { summary: 'Status, in the shape of Alertmanager', tags, response: { 200: alertmanagerStatus } } },
    async () => ({
      cluster: { name: '', peers: [], status: 'disabled' as const },
      config: { original: routing().written },
      uptime: new Date(startedAtMs).toISOString(),
      versionInfo: { branch: 'nines', buildDate: '', buildUser: '', goVersion: '', revision: VERSION, version: SPOKEN_VERSION },
    }),
  );
  http.get(
    '/api/v2/receivers',
    {
      config: read,
      schema: {
        summary: 'Names of the receivers',
        tags,
        querystring: z.object({ receiver_matchers: texts }),
        response: { 200: z.array(z.object({ name: z.string() })) },
      },
    },
    async (request) => {
      // Receivers have no labels here: a matcher holds when it holds for an empty value.
      const wanted = valid(matchersFrom(request.query.receiver_matchers)).every(({ matches }) => matches(''));
      return wanted ? routing().receivers.map((name) => ({ name })) : [];
    },
  );
}

function alertRoutes(http: Http, deps: AlertmanagerApiDeps): void {
  const { received, silences, inhibiting, alerting, clock, routing, isForeign, inside } = deps;
  const shown = (query: AlertQuery): readonly GettableAlert[] => {
    const nowMs = clock.now();
    const facts: AlertFacts = {
      nowMs,
      resolveTimeoutMs: received.resolveTimeoutMs,
      routes: routing().routes,
      silencedBy: (labels) => silences.silencing(labels, nowMs),
      inhibitedBy: inhibiting,
      received: (fingerprint) => received.find(fingerprint),
    };
    const firing = alerting.open().filter(({ condition }) => condition === 'firing');
    return firing
      .map((alert) => alertToWire(alert, facts))
      .filter((alert) => keepsAlert(query, alert))
      .sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
  };
  type Asked = Omit<z.output<typeof alertsQuery>, 'unprocessed'>;
  const queryOf = ({ filter, receiver, receiver_matchers, ...flags }: Asked): AlertQuery => {
    const pattern = valid(receiverPattern(receiver));
    const unlabelled = valid(matchersFrom(receiver_matchers)).every(({ matches }) => matches(''));
    return { unprocessed: true, ...flags, matchers: valid(matchersFrom(filter)), isReceiver: unlabelled ? pattern : () => false };
  };
  http.get(
    '/api/v2/alerts',
    {
      config: { ...read, scoped: {} },
      schema: { summary: 'Alerts that fire', tags, querystring: alertsQuery, response: { 200: z.array(gettableAlert) } },
    },
    async (request) => [...shown(queryOf(request.query))],
  );
  http.get(
    '/api/v2/alerts/groups',
    {
      config: { ...read, scoped: 'handler' },
      schema: {
        summary: 'Alerts that fire, in the groups they are told in',
        tags,
        querystring: groupsQuery,
        response: { 200: z.array(alertGroup) },
      },
    },
    async ({ query: { muted, ...query }, actor: { scope } }) => {
      const asked = queryOf(query);
      const seen = shown(asked).filter(({ labels }) => isFull(scope) || inside.labels(scope, labels));
      return [...groupsOf(seen, { routes: routing().routes, keepsMuted: muted, isReceiver: asked.isReceiver })];
    },
  );
  http.post(
    '/api/v2/alerts',
    {
      config: { permission: 'ingest', errors: 'alertmanager', scoped: 'handler' },
      bodyLimit: MAX_POST_BYTES,
      schema: { summary: 'Take alerts of Prometheus, vmalert and others', tags, body: postableAlerts },
    },
    async (request, reply) => {
      const { scope } = request.actor;
      await received.post(request.body, isFull(scope) ? undefined : { scope, isForeign: (service) => isForeign(scope, service) });
      return reply.code(200).send();
    },
  );
}

function silenceRoutes(http: Http, silences: SilenceBook): void {
  const write = { permission: 'operate', errors: 'alertmanager' } as const;
  const byId = z.object({ silenceID: z.string() });
  const wire = (silence: Silence) => silenceToWire(silence, silences.viewOf(silence).state);
  http.get(
    '/api/v2/silences',
    {
      config: { ...read, scoped: 'handler' },
      schema: {
        summary: 'Silences',
        tags,
        querystring: z.object({ filter: texts, active: flag, pending: flag, expired: flag }),
        response: { 200: z.array(gettableSilence) },
      },
    },
    async (request) => {
      const { query } = request;
      const matchers = valid(matchersFrom(query.filter));
      const found = silences.list().filter((silence) => keepsSilence(matchers, silence) && seesSilence(request, silence));
      return found.map(wire).filter(({ status }) => query[status.state]);
    },
  );
  http.post(
    '/api/v2/silences',
    {
      config: { ...write, scoped: 'handler' },
      schema: {
        summary: 'Make a silence, or change the one with this id',
        tags,
        body: postableSilence,
        response: { 200: z.object({ silenceID: z.string() }) },
      },
    },
    async (request) => {
      const draft = await draftWithin(silences, valid(draftFrom(request.body)), request);
      return { silenceID: (await silences.put(draft, request.actor)).id };
    },
  );
  http.get(
    '/api/v2/silence/:silenceID',
    { config: { ...read, scoped: 'handler' }, schema: { summary: 'One silence', tags, params: byId, response: { 200: gettableSilence } } },
    async (request) => wire(await seenSilence(silences, request.params.silenceID, request)),
  );
  http.delete(
    '/api/v2/silence/:silenceID',
    { config: { ...write, scoped: 'handler' }, schema: { summary: 'End a silence now', tags, params: byId } },
    async (request, reply) => {
      await ownSilence(silences, request.params.silenceID, request);
      await silences.expire(request.params.silenceID, request.actor);
      return reply.code(200).send();
    },
  );
}
