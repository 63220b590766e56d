import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { loginBody, passwordBody, sessionView, setupBody, tokenBody, tokenView } from './contract.ts';
import type { Access } from './service.ts';

/** Sign-in, set-up, own password, API tokens. */
export function accessRoutes(http: Http, access: Access, options: { readonly secure: boolean }): void {
  sessionRoutes(http, access, options);
  tokenRoutes(http, access);
}

function sessionRoutes(http: Http, access: Access, options: { readonly secure: boolean }): void {
  const setCookie = (reply: FastifyReply, value: string): void =>
    void reply.setCookie(access.cookieName, value, { path: '/', httpOnly: true, sameSite: 'lax', secure: options.secure });

  http.get(
    '/api/session',
    {
      config: { permission: 'public' },
      schema: { summary: 'Who is signed in and what they may do', tags: ['access'], response: { 200: sessionView } },
    },
    async (request) => access.session(request),
  );
  http.post(
    '/api/session',
    { config: { permission: 'public' }, schema: { summary: 'Sign in', tags: ['access'], body: loginBody } },
    async (request, reply) => {
      const { cookie } = await access.login({ ...request.body, address: request.ip, userAgent: request.headers['user-agent'] ?? '' });
      setCookie(reply, cookie);
      return reply.code(204).send();
    },
  );
  http.delete(
    '/api/session',
    { config: { permission: 'public' }, schema: { summary: 'Sign out', tags: ['access'] } },
    async (request, reply) => {
      await access.logout(request);
      reply.clearCookie(access.cookieName, { path: '/', httpOnly: true, sameSite: 'lax', secure: options.secure });
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
      const { cookie } = await access.setup({ ...request.body, address: request.ip, userAgent: request.headers['user-agent'] ?? '' });
      setCookie(reply, cookie);
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
      const { cookie } = await access.changePassword(request, request.body);
      setCookie(reply, cookie);
      return reply.code(204).send();
    },
  );
}

function tokenRoutes(http: Http, access: Access): void {
  http.get(
    '/api/tokens',
    {
      config: { permission: 'administer', audit: 'read' },
      schema: { summary: 'API tokens', tags: ['access'], response: { 200: z.object({ items: z.array(tokenView) }) } },
    },
    async () => ({ items: [...(await access.listTokens())] }),
  );
  http.post(
    '/api/tokens',
    {
      config: { permission: 'administer' },
      schema: {
        summary: 'Create an API token; its secret is shown once',
        tags: ['access'],
        body: tokenBody,
        response: { 201: tokenView.extend({ token: z.string() }) },
      },
    },
    async (request, reply) => reply.code(201).send(await access.createToken(request.actor, request.body)),
  );
  http.delete(
    '/api/tokens/:id',
    {
      config: { permission: 'administer' },
      schema: { summary: 'Revoke an API token', tags: ['access'], params: z.object({ id: z.string() }) },
    },
    async (request, reply) => {
      await access.revokeToken(request.actor, request.params.id);
      return reply.code(204).send();
    },
  );
}
