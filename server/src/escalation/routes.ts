import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { policySchema, policyView, signalView, stakeholderView, standingView } from './contract.ts';
import type { Policies } from './policies.ts';
import type { Escalation } from './service.ts';
import type { Signals } from './signals.ts';

type Deps = {
  readonly policies: Policies;
  readonly escalation: Escalation;
  readonly signals: Signals;
  /** `AppError` `alert_not_found`. */
  readonly alertOf: (id: string) => Promise<unknown>;
};

const tags = ['escalation'];
const byId = z.object({ id: z.string() });
const items = <T extends z.ZodType>(of: T) => z.object({ items: z.array(of) });

/** Escalation: its policies, where alerts stand, stakeholder routes, and signs of life. */
export function escalationRoutes(http: Http, deps: Deps): void {
  readRoutes(http, deps);
  writeRoutes(http, deps);
}

function readRoutes(http: Http, { policies, escalation, signals, alertOf }: Deps): void {
  const config = { permission: 'read' as const };
  http.get(
    '/api/escalation/policies',
    { config, schema: { summary: 'Escalation policies, with whom each level would tell now', tags, response: { 200: items(policyView) } } },
    async () => ({ items: [...policies.list()] }),
  );
  http.get(
    '/api/escalation/policies/:id',
    { config, schema: { summary: 'One escalation policy', tags, params: byId, response: { 200: policyView } } },
    async (request) => policies.get(request.params.id),
  );
  http.post(
    '/api/escalation/policies/preview',
    {
      config,
      schema: {
        summary: 'Whom a policy would tell, level by level, before it is made',
        tags,
        body: policySchema,
        response: { 200: policyView },
      },
    },
    async (request) => policies.preview(request.body),
  );
  http.get(
    '/api/escalation/stakeholders',
    { config, schema: { summary: 'Stakeholder routes, with whom each would tell now', tags, response: { 200: items(stakeholderView) } } },
    async () => ({ items: [...policies.stakeholders()] }),
  );
  http.get(
    '/api/escalation/signals',
    {
      config,
      schema: { summary: 'Heartbeats out, watchdogs in, and open alerts without a next step', tags, response: { 200: signalView } },
    },
    async () => signals.view(),
  );
  http.get(
    '/api/alerts/:id/escalation',
    {
      config: { ...config, scoped: { names: { params: { id: 'alert' } } } },
      schema: { summary: 'Where an alert stands on its ladders, and what comes next', tags, params: byId, response: { 200: standingView } },
    },
    async (request) => {
      await alertOf(request.params.id);
      return escalation.standing(request.params.id);
    },
  );
}

function writeRoutes(http: Http, { policies }: Deps): void {
  const config = { permission: 'operate' as const };
  http.post(
    '/api/escalation/policies',
    { config, schema: { summary: 'Make an escalation policy; one with the id of a shipped one replaces it', tags, body: policySchema } },
    async (request, reply) => reply.code(201).send(await policies.create(request.body, request.actor)),
  );
  http.put(
    '/api/escalation/policies/:id',
    {
      config,
      schema: {
        summary: 'Change an escalation policy; with `revision` only when nobody else did meanwhile. Alerts keep the one that they came to',
        tags,
        params: byId,
        querystring: z.object({ revision: z.coerce.number().int().min(0).optional() }),
        body: policySchema,
        response: { 200: policyView },
      },
    },
    (request) => policies.update(request.params.id, { spec: request.body, revision: request.query.revision }, request.actor),
  );
  http.delete(
    '/api/escalation/policies/:id',
    { config, schema: { summary: 'Remove an escalation policy; a shipped one comes back', tags, params: byId } },
    async (request, reply) => {
      await policies.remove(request.params.id, request.actor);
      return reply.code(204).send();
    },
  );
}
