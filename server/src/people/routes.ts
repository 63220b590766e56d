import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import type { SessionCookie } from '../sessions/contract.ts';
import {
  factorNeededView,
  joinBody,
  judgeBody,
  linkView,
  loginBody,
  lookBody,
  passwordBody,
  passwordJudgement,
  setupBody,
} from './contract.ts';
import type { PersonLinks } from './links.ts';
import type { People } from './service.ts';

type PeopleRoutes = { readonly people: People; readonly links: Pick<PersonLinks, 'look'>; readonly cookie: SessionCookie };

/** Signing in, the first administrator, one's own password. */
export function peopleRoutes(http: Http, { people, links, cookie }: PeopleRoutes): void {
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
      const answer = await people.login(request.body, cookie.placeOf(request as FastifyRequest));
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
      cookie.set(reply, (await people.setup(request.body, cookie.placeOf(request as FastifyRequest))).cookie);
      return reply.code(204).send();
    },
  );
  http.post(
    '/api/password',
    {
      config: { permission: 'read', scoped: { free: "only the asking person's own password" } },
      schema: { summary: 'Change your password; every session ends', tags: ['access'], body: passwordBody },
    },
    async (request, reply) => {
      cookie.set(reply, (await people.changePassword(request.actor, request.body, cookie.placeOf(request as FastifyRequest))).cookie);
      return reply.code(204).send();
    },
  );
  joinRoutes(http, { people, links, cookie });
}

/** One-time links, and what is said about a password while it is typed. */
function joinRoutes(http: Http, { people, links, cookie }: PeopleRoutes): void {
  http.post(
    '/api/password/judge',
    {
      config: { permission: 'public' },
      schema: { summary: 'Whether a password would be taken', tags: ['access'], body: judgeBody, response: { 200: passwordJudgement } },
    },
    async (request) => people.judge(request.body),
  );
  http.post(
    '/api/join/look',
    {
      config: { permission: 'public' },
      schema: { summary: 'Whom a one-time link is for', tags: ['access'], body: lookBody, response: { 200: linkView } },
    },
    async (request) => links.look(request.body.token),
  );
  http.post(
    '/api/join',
    {
      config: { permission: 'public' },
      schema: {
        summary: 'Choose a password with a one-time link and sign in; 200 says which second factor is still needed',
        tags: ['access'],
        body: joinBody,
        response: { 200: factorNeededView, 204: z.undefined() },
      },
    },
    async (request, reply) => {
      const answer = await people.join(request.body, cookie.placeOf(request as FastifyRequest));
      if (answer.kind === 'factor_needed') return reply.code(200).send({ ...answer, kinds: [...answer.kinds] });
      cookie.set(reply, answer.cookie);
      return reply.code(204).send();
    },
  );
}
