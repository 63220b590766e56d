import { AppError } from '@nines/base/errors.ts';
import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { TOKEN_CODES, introspectBody, introspectionView, tokenBody, tokenView } from './contract.ts';
import { TOKEN_WITHIN } from './secret.ts';
import type { Tokens } from './service.ts';

const params = z.object({ id: z.string() });
const madeToken = tokenView.extend({ token: z.string() });
const administer = { permission: 'administer', stepUp: true } as const;

/** API tokens. Call it before other routes: addresses with a token in them are refused from here on. */
export function tokenRoutes(http: Http, tokens: Tokens): void {
  http.get(
    '/api/tokens',
    {
      config: { permission: 'administer', audit: 'read' },
      schema: { summary: 'API tokens', tags: ['access'], response: { 200: z.object({ items: z.array(tokenView) }) } },
    },
    async () => ({ items: [...(await tokens.list())] }),
  );
  http.post(
    '/api/tokens',
    {
      config: administer,
      schema: { summary: 'Create an API token; its secret is shown once', tags: ['access'], body: tokenBody, response: { 201: madeToken } },
    },
    async (request, reply) => reply.code(201).send(await tokens.create(request.actor, request.body)),
  );
  http.post(
    '/api/tokens/:id/replace',
    {
      config: administer,
      schema: {
        summary: 'Replace the secret of a token; the one before counts 15 minutes more',
        tags: ['access'],
        params,
        response: { 200: madeToken },
      },
    },
    async (request) => tokens.replace(request.actor, request.params.id),
  );
  http.delete(
    '/api/tokens/:id',
    { config: administer, schema: { summary: 'Revoke an API token', tags: ['access'], params } },
    async (request, reply) => {
      await tokens.revoke(request.actor, request.params.id);
      return reply.code(204).send();
    },
  );
  http.post(
    '/api/tokens/introspect',
    {
      config: { permission: 'administer', audit: 'read' },
      schema: {
        summary: 'Whether a token is good, and what it may do',
        description: 'RFC 7662 in JSON: `active` alone for whatever is no good token. It does not count as a use.',
        tags: ['access'],
        body: introspectBody,
        response: { 200: introspectionView },
      },
    },
    async (request) => {
      const found = await tokens.introspect(request.body.token);
      return found === undefined ? { active: false as const } : { active: true as const, ...found };
    },
  );
}

/** A token in an address stands in every log on its way. It is refused, so that nobody gets used to it. */
export function refuseTokensInAddresses(http: Http): void {
  http.addHook('onRequest', async ({ url }) => {
    const query = url.indexOf('?');
    if (query < 0 || !TOKEN_WITHIN.test(url.slice(query))) return;
    throw new AppError(
      'bad_input',
      TOKEN_CODES.inAddress,
      'send the token in the header (Authorization: Bearer …), not in the address; this one may stand in logs now, so replace it',
    );
  });
}
