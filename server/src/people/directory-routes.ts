import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Mailer } from '../notify/contract.ts';
import type { Http } from '../platform/http/contract.ts';
import { type SessionBook, sessionRow } from '../sessions/contract.ts';
import {
  type IssuedLink,
  type IssuedView,
  issuedView,
  joinUrl,
  newPersonBody,
  personChangeBody,
  personView,
  resetBody,
} from './contract.ts';
import type { By, Directory } from './directory.ts';
import { linkMail, sendLink } from './mail.ts';

export type DirectoryRoutes = {
  readonly directory: Directory;
  readonly sessions: SessionBook;
  /** Where links lead to; without a slash at its end. */
  readonly url: () => string;
  /** The first channel of kind `email`, as it is configured now. */
  readonly mailer: () => Mailer | undefined;
};

const tags = ['access'];
const params = z.object({ id: z.string() });
const administer = { config: { permission: 'administer', stepUp: true } } as const;

/** Everybody who may sign in, for administrators. */
export function directoryRoutes(http: Http, { directory, sessions, url, mailer }: DirectoryRoutes): void {
  const issued = async (link: IssuedLink, send: boolean): Promise<IssuedView> => {
    const address = joinUrl(url(), link.secret);
    const { id, name, kind, expires_at_ms } = link;
    const sent = send ? await sendLink(mailer(), link, linkMail(link, address, `${id}-${expires_at_ms}`)) : null;
    return { id, name, kind, link: address, expires_at_ms, sent };
  };
  http.get(
    '/api/people',
    {
      config: { permission: 'administer', audit: 'read' },
      schema: {
        summary: 'Everybody who may sign in',
        tags,
        response: { 200: z.object({ items: z.array(personView), mail: z.boolean() }) },
      },
    },
    async () => ({ items: [...(await directory.list())], mail: mailer() !== undefined }),
  );
  http.post(
    '/api/people',
    {
      ...administer,
      schema: { summary: 'Invite somebody; the one-time link is shown once', tags, body: newPersonBody, response: { 201: issuedView } },
    },
    async (request, reply) => {
      const { send, ...person } = request.body;
      return reply.code(201).send(await issued(await directory.invite(byOf(request), person), send));
    },
  );
  http.patch(
    '/api/people/:id',
    {
      ...administer,
      schema: {
        summary: 'Another role, scope or address; disabled or enabled. Ends their sessions, except for another address',
        tags,
        params,
        body: personChangeBody,
        response: { 200: personView },
      },
    },
    async (request) => directory.change(byOf(request), request.params.id, request.body),
  );
  http.delete(
    '/api/people/:id',
    {
      ...administer,
      schema: {
        summary: 'Remove a person, in the audit log as well',
        tags,
        params,
        querystring: z.object({ revision: z.coerce.number().int() }),
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      await directory.remove(byOf(request), request.params.id, request.query.revision);
      return reply.code(204).send();
    },
  );
  linkRoutes(http, directory, issued);
  sessionsOfOthers(http, sessions);
}

/** Links of people who are there already. */
function linkRoutes(http: Http, directory: Directory, issued: (link: IssuedLink, send: boolean) => Promise<IssuedView>): void {
  http.post(
    '/api/people/:id/link',
    {
      ...administer,
      schema: {
        summary: 'A one-time link to a new password, or the invitation again',
        tags,
        params,
        body: resetBody,
        response: { 201: issuedView },
      },
    },
    async (request, reply) => {
      const { send, factors } = request.body;
      return reply.code(201).send(await issued(await directory.reset(byOf(request), request.params.id, { factors }), send));
    },
  );
  http.delete(
    '/api/people/:id/link',
    { ...administer, schema: { summary: 'Take an open link back', tags, params, response: { 204: z.undefined() } } },
    async (request, reply) => {
      await directory.revokeLink(byOf(request), request.params.id);
      return reply.code(204).send();
    },
  );
}

function sessionsOfOthers(http: Http, sessions: SessionBook): void {
  http.get(
    '/api/people/:id/sessions',
    {
      config: { permission: 'administer', audit: 'read' },
      schema: { summary: "A person's sessions", tags, params, response: { 200: z.object({ items: z.array(sessionRow) }) } },
    },
    async (request) => ({ items: [...(await sessions.list(request.params.id))] }),
  );
  http.delete(
    '/api/people/:id/sessions',
    {
      ...administer,
      schema: { summary: 'End all sessions of a person', tags, params, response: { 200: z.object({ ended: z.int() }) } },
    },
    async (request) => ({ ended: await sessions.revokeOthers(byOf(request), request.params.id) }),
  );
  http.delete(
    '/api/people/:id/sessions/:session',
    {
      ...administer,
      schema: {
        summary: 'End one session of a person',
        tags,
        params: z.object({ id: z.string(), session: z.string() }),
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      await sessions.revoke(byOf(request), request.params.id, request.params.session);
      return reply.code(204).send();
    },
  );
}

const byOf = ({ actor: { kind, id, name, role, permits } }: Pick<FastifyRequest, 'actor'>): By => ({
  kind,
  id,
  name,
  role,
  ...(permits !== undefined && { permits }),
});
