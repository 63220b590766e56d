import type { Clock } from '@nines/base/clock.ts';
import { z } from 'zod';
import type { Alerting, AlertView } from '../alerting/contract.ts';
import type { Actor, Http } from '../platform/http/contract.ts';
import {
  type Asking,
  draftWithin,
  ownSilence,
  seenSilence,
  seesSilence,
  SILENCE_STATES,
  type SilenceDraft,
  silenceSchema,
  silenceView,
} from './contract.ts';
import { isSilencing } from './evaluate.ts';
import type { Silences } from './service.ts';

/** Alerts that a preview shows; the rest is counted. */
const MAX_PREVIEW = 100;

type Deps = { readonly silences: Silences; readonly alerting: Pick<Alerting, 'open'>; readonly clock: Pick<Clock, 'now'> };

const labelsOfAlert = ({ service, labels }: AlertView) => ({ ...(service === null ? {} : { service }), ...labels });

const byId = z.object({ id: z.string() });
const tags = ['silences'];
const shown = z.object({ id: z.string(), alertname: z.string(), severity: z.string(), labels: z.record(z.string(), z.string()) });

/** Silences: made, changed and ended by people, with what one would match before it is made. */
export function silenceRoutes(http: Http, deps: Deps): void {
  readRoutes(http, deps);
  writeRoutes(http, deps);
}

function readRoutes(http: Http, { silences, alerting }: Deps): void {
  const config = { permission: 'read' as const, scoped: 'handler' as const };
  http.get(
    '/api/silences',
    {
      config,
      schema: {
        summary: 'Silences that are in force, will be, or ended within five days',
        tags,
        querystring: z.object({ state: z.enum(SILENCE_STATES).optional() }),
        response: { 200: z.object({ items: z.array(silenceView) }) },
      },
    },
    async (request) => {
      const seen = silences.list().filter((silence) => seesSilence(request, silence));
      const views = seen.map((silence) => silences.viewOf(silence));
      return { items: views.filter(({ state }) => request.query.state === undefined || state === request.query.state) };
    },
  );
  http.get(
    '/api/silences/:id',
    { config, schema: { summary: 'One silence', tags, params: byId, response: { 200: silenceView } } },
    async (request) => silences.viewOf(await seenSilence(silences, request.params.id, request)),
  );
  http.post(
    '/api/silences/preview',
    {
      config,
      schema: {
        summary: 'Which alerts a silence with these matchers would hold back now',
        tags,
        body: z.strictObject({ matchers: silenceSchema.shape.matchers }),
        response: { 200: z.object({ total: z.number(), items: z.array(shown) }) },
      },
    },
    async (request) => {
      const { matchers } = request.body;
      const matches = ({ condition, labels }: AlertView): boolean => condition === 'firing' && isSilencing({ matchers }, labels);
      const found = alerting.open().filter((alert) => matches(alert) && request.sees(labelsOfAlert(alert)));
      const items = found
        .slice(0, MAX_PREVIEW)
        .map(({ id, alertname, severity, labels }) => ({ id, alertname, severity, labels: { ...labels } }));
      return { total: found.length, items };
    },
  );
}

function writeRoutes(http: Http, { silences, clock }: Deps): void {
  const config = { permission: 'operate' as const, scoped: 'handler' as const };
  const draftOf = (id: string | undefined, body: z.output<typeof silenceSchema>, actor: Actor): SilenceDraft => ({
    id,
    matchers: body.matchers,
    startsAtMs: body.starts_at_ms ?? clock.now(),
    endsAtMs: body.ends_at_ms,
    createdBy: actor.name,
    comment: body.comment,
    annotations: body.annotations,
  });
  const put = async (draft: SilenceDraft, request: Asking) => silences.put(await draftWithin(silences, draft, request), request.actor);
  http.post(
    '/api/silences',
    {
      config,
      schema: { summary: 'Make a silence; who has a scope silences inside it: its matchers are added', tags, body: silenceSchema },
    },
    async (request, reply) => reply.code(201).send(silences.viewOf(await put(draftOf(undefined, request.body, request.actor), request))),
  );
  http.put(
    '/api/silences/:id',
    {
      config,
      schema: {
        summary: 'Change a silence; a change of what it matches, or of a start that has passed, ends it and makes a new one',
        tags,
        params: byId,
        body: silenceSchema,
        response: { 200: silenceView },
      },
    },
    async (request) => {
      const { id } = request.params;
      const draft = draftOf(id, request.body, request.actor);
      const startsAtMs = request.body.starts_at_ms ?? (await seenSilence(silences, id, request)).startsAtMs;
      return silences.viewOf(await put({ ...draft, startsAtMs }, request));
    },
  );
  http.delete(
    '/api/silences/:id',
    { config, schema: { summary: 'End a silence now; what it was stays', tags, params: byId } },
    async (request, reply) => {
      await ownSilence(silences, request.params.id, request);
      await silences.expire(request.params.id, request.actor);
      return reply.code(204).send();
    },
  );
}
