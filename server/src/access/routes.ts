import type { FastifyRequest } from 'fastify';
import type { Http } from '../platform/http/contract.ts';
import { type SessionView, sessionView } from './contract.ts';
import { isOfThings } from '../platform/http/scoped.ts';
import type { SessionBook, SessionCookie } from '../sessions/contract.ts';
import type { Access } from './service.ts';

export type AccessRoutes = {
  readonly access: Access;
  readonly people: { exist(): Promise<boolean> };
  readonly sessions: SessionBook;
  readonly cookie: SessionCookie;
};

/** Who is signed in, and signing out. */
export function accessRoutes(http: Http, { access, people, sessions, cookie }: AccessRoutes): void {
  http.get(
    '/api/session',
    {
      config: { permission: 'public' },
      schema: { summary: 'Who is signed in and what they may do', tags: ['access'], response: { 200: sessionView } },
    },
    async (request) => access.session(request as FastifyRequest, { exist: () => people.exist(), closed: () => closedIn(http, access) }),
  );
  http.delete(
    '/api/session',
    { config: { permission: 'public' }, schema: { summary: 'Sign out', tags: ['access'] } },
    async (request, reply) => {
      const value = cookie.read(request as FastifyRequest);
      if (value !== undefined) await sessions.end(value, request.ip);
      cookie.clear(reply as never);
      // Whatever pages kept in this browser, notices that are pushed to it among them; answers are never kept, so not the cache.
      reply.header('clear-site-data', '"storage"');
      return reply.code(204).send();
    },
  );
}

/** Routes that say nothing of scopes, or that need to be told what they are about. */
function closedIn(http: Pick<Http, 'everyRoute'>, access: Pick<Access, 'areaOf' | 'ownArea'>): SessionView['closed'] {
  return http.everyRoute().flatMap(({ method, url, config = {} }) => {
    const { permission = 'public', scoped } = config;
    if (![method].flat().includes('GET') || permission === 'public' || access.areaOf(url) === access.ownArea) return [];
    if (scoped === undefined) return [{ path: url, unless: [] }];
    return isOfThings(scoped) && scoped.needs !== undefined ? [{ path: url, unless: [...scoped.needs] }] : [];
  });
}
