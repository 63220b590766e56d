import { AppError } from '@nines/base/errors.ts';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Actor, Http } from '../platform/http/contract.ts';
import { SESSION_CODES, type SessionBook, type SessionCookie, sessionRow } from './contract.ts';

type Deps = { readonly sessions: SessionBook; readonly cookie: SessionCookie };

const tags = ['access'];
const config = { permission: 'read', scoped: { free: "only the asking person's own sessions" } } as const;

/** Where one is signed in, and ending it. */
export function sessionRoutes(http: Http, { sessions, cookie }: Deps): void {
  http.get(
    '/api/sessions',
    { config, schema: { summary: 'Your sessions', tags, response: { 200: z.object({ items: z.array(sessionRow) }) } } },
    async (request) => ({ items: [...(await sessions.list(personOf(request.actor), cookie.read(request as FastifyRequest)))] }),
  );
  http.delete(
    '/api/sessions',
    { config, schema: { summary: 'End all your sessions but this one', tags, response: { 200: z.object({ ended: z.int() }) } } },
    async (request) => ({
      ended: await sessions.revokeOthers(request.actor, personOf(request.actor), cookie.read(request as FastifyRequest)),
    }),
  );
  http.delete(
    '/api/sessions/:id',
    {
      config,
      schema: { summary: 'End one of your sessions', tags, params: z.object({ id: z.string() }), response: { 204: z.undefined() } },
    },
    async (request, reply) => {
      await sessions.revoke(request.actor, personOf(request.actor), request.params.id);
      return reply.code(204).send();
    },
  );
}

function personOf(actor: Actor): string {
  if (actor.kind === 'user') return actor.id;
  throw new AppError('forbidden', SESSION_CODES.sessionNeeded, 'only a signed-in person has sessions');
}
