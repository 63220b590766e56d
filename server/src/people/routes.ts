import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import type { Place, SessionCookie } from '../sessions/contract.ts';
import { factorNeededView, loginBody, passwordBody, setupBody } from './contract.ts';
import type { People } from './service.ts';

const placeOf = (request: FastifyRequest): Place => ({ address: request.ip, userAgent: request.headers['user-agent'] ?? '' });

/** Signing in, the first administrator, one's own password. */
export function peopleRoutes(http: Http, { people, cookie }: { readonly people: People; readonly cookie: SessionCookie }): void {
  http.post(
    '/api/session',
    {
      config: { permission: 'public' },
      schema: {
        summary: 'Sign in; 200 says which second factor is still needed',
        tags: ['access'],
        body: loginBody,
        response: { 200: factorNeededView, 204: z.undefined() },
      },
    },
    async (request, reply) => {
      const answer = await people.login(request.body, placeOf(request as FastifyRequest));
      if (answer.kind === 'factor_needed') return reply.code(200).send({ ...answer, kinds: [...answer.kinds] });
      cookie.set(reply, answer.cookie);
      return reply.code(204).send();
    },
  );
  http.post(
    '/api/setup',
    {
      config: { permission: 'public' },
      schema: { summary: 'Create the first administrator with the one-time link', tags: ['access'], body: setupBody },
    },
    async (request, reply) => {
      cookie.set(reply, (await people.setup(request.body, placeOf(request as FastifyRequest))).cookie);
      return reply.code(204).send();
    },
  );
  http.post(
    '/api/password',
    {
      config: { permission: 'read' },
      schema: { summary: 'Change your password; every session ends', tags: ['access'], body: passwordBody },
    },
    async (request, reply) => {
      cookie.set(reply, (await people.changePassword(request.actor, request.body, placeOf(request as FastifyRequest))).cookie);
      return reply.code(204).send();
    },
  );
}
