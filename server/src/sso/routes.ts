import { ownPath } from '@nines/base/own-path.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AppError } from '@nines/base/errors.ts';
import type { Gate, Http } from '../platform/http/contract.ts';
import type { SessionCookie } from '../sessions/contract.ts';
import { type AttemptCookie, SSO_CODES, identityView, providersView } from './contract.ts';
import type { Refused, SingleSignOn } from './service.ts';

export type SsoRoutes = {
  readonly sso: SingleSignOn;
  readonly gate: Gate;
  readonly cookie: SessionCookie;
  readonly attempt: AttemptCookie;
  readonly passwordLogin: () => boolean;
};

const OWN = { free: 'one sees and changes only oneself' };
const params = z.object({ provider: z.string().max(100) });
const nextQuery = z.object({ next: z.string().max(2_000).optional() });

/** Identity providers: which there are, going there, coming back, and one's own identities. */
export function ssoRoutes(http: Http, deps: SsoRoutes): void {
  signInRoutes(http, deps);
  identityRoutes(http, deps);
}

function signInRoutes(http: Http, { sso, gate, cookie, attempt, passwordLogin }: SsoRoutes): void {
  http.get(
    '/api/sso',
    {
      config: { permission: 'public' },
      schema: { summary: 'How people may sign in', tags: ['access'], response: { 200: providersView } },
    },
    async () => ({ password_login: passwordLogin(), providers: [...sso.list()] }),
  );
  http.get(
    '/api/sso/:provider/start',
    {
      config: { permission: 'public' },
      schema: { summary: 'Go to an identity provider', tags: ['access'], params, querystring: nextQuery },
    },
    async (request, reply) => {
      const started = await sso.start(request.params.provider, { next: ownPath(request.query.next) });
      if (!started.ok) return refuse(reply as never, started);
      attempt.set(reply as never, started.secret);
      return reply.redirect(started.url, 303);
    },
  );
  http.get(
    '/api/sso/:provider/callback',
    {
      config: { permission: 'public' },
      schema: { summary: 'Come back from an identity provider', tags: ['access'], params },
    },
    async (request, reply) => {
      const asked = request as unknown as FastifyRequest;
      const query = asked.url.split('?').slice(1).join('?');
      const signedIn = await gate.authenticate(asked);
      const finished = await sso.finish(request.params.provider, { query, secret: attempt.read(asked), signedIn }, cookie.placeOf(asked));
      attempt.clear(reply as never);
      if (!finished.ok) return refuse(reply as never, finished);
      if (finished.session !== undefined) cookie.set(reply as never, finished.session.cookie);
      return reply.redirect(finished.next, 303);
    },
  );
}

function identityRoutes(http: Http, { sso, cookie, attempt }: SsoRoutes): void {
  http.get(
    '/api/identities',
    {
      config: { permission: 'read', scoped: OWN },
      schema: {
        summary: 'Your identities at identity providers',
        tags: ['access'],
        response: { 200: z.object({ items: z.array(identityView) }) },
      },
    },
    async (request) => ({ items: [...(await sso.identities(request.actor.id))] }),
  );
  http.post(
    '/api/sso/:provider/link',
    {
      config: { permission: 'read', scoped: OWN, audit: 'change', stepUp: true },
      schema: {
        summary: 'Link an identity to yourself; go to the address of the answer',
        tags: ['access'],
        params,
        body: z.strictObject({ next: z.string().max(2_000).optional() }),
        response: { 200: z.object({ url: z.string() }) },
      },
    },
    async (request, reply) => {
      const { actor } = request;
      if (actor.kind !== 'user') throw new AppError('forbidden', SSO_CODES.personNeeded, 'only a signed-in person has identities');
      const started = await sso.start(request.params.provider, { next: ownPath(request.body.next), linkTo: actor.id });
      if (!started.ok) throw new AppError('unavailable', started.refusal, 'the identity provider cannot be asked now');
      attempt.set(reply as never, started.secret);
      return { url: started.url };
    },
  );
  http.delete(
    '/api/identities/:id',
    {
      config: { permission: 'read', scoped: OWN, audit: 'change' },
      schema: { summary: 'Unlink an identity from yourself', tags: ['access'], params: z.object({ id: z.string() }) },
    },
    async (request, reply) => {
      await sso.unlink(request.actor, request.params.id, cookie.placeOf(request as unknown as FastifyRequest));
      return reply.code(204).send();
    },
  );
}

/** A person in a browser reads a page, not a problem document. */
function refuse(reply: FastifyReply, { refusal, next }: Refused): FastifyReply {
  const query = new URLSearchParams({ refused: refusal, ...(next !== undefined && next !== '/' && { next }) });
  return reply.redirect(`/login?${query.toString()}`, 303);
}
