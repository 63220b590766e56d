import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { agentsView, agentView, madeJoinToken, newJoinToken } from './contract.ts';
import type { Agents } from './service.ts';

/** The agents, as people see and manage them. Agents themselves speak to their own listener. */
export function agentRoutes(http: Http, { agents }: { readonly agents: Agents }): void {
  const tags = ['agents'];
  const params = z.object({ id: z.string() });
  http.get(
    '/api/agents',
    {
      config: { permission: 'read' },
      schema: { summary: 'Agents at other places, and the tokens that one can still join with', tags, response: { 200: agentsView } },
    },
    async () => agents.view(),
  );
  http.post(
    '/api/agents/join-tokens',
    {
      config: { permission: 'administer', stepUp: true },
      schema: {
        summary: 'Make a token that one agent can join with, once, within the hour',
        tags,
        body: newJoinToken,
        response: { 201: madeJoinToken },
      },
    },
    async (request, reply) => reply.code(201).send(await agents.createJoinToken(request.body.location, request.actor.name)),
  );
  http.delete(
    '/api/agents/join-tokens/:id',
    {
      config: { permission: 'administer', stepUp: true },
      schema: { summary: 'Withdraw a join token that was not used', tags, params, response: { 204: z.undefined() } },
    },
    async (request, reply) => {
      await agents.withdrawJoinToken(request.params.id);
      return reply.code(204).send();
    },
  );
  http.post(
    '/api/agents/:id/revoke',
    {
      config: { permission: 'administer', stepUp: true },
      schema: { summary: 'Refuse an agent from now on', tags, params, response: { 200: agentView } },
    },
    async (request) => agents.revoke(request.params.id, request.actor.name),
  );
  http.post(
    '/api/agents/:id/rotate',
    {
      config: { permission: 'administer', stepUp: true },
      schema: { summary: 'Have an agent take a new key and certificate', tags, params, response: { 200: agentView } },
    },
    async (request) => agents.rotate(request.params.id),
  );
}
