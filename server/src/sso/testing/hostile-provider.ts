import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { listenOnLoopback } from './listen.ts';

export type Token = { header: Record<string, unknown>; payload: Record<string, unknown> };
/** What a provider can get wrong, or do on purpose. */
export type Tricks = {
  /** Changes the token before it is signed. */
  token?: (token: Token) => void;
  /** `hmac_with_public_key` signs as if the public key were a shared secret; `other_key` with a key that is not published. */
  signing?: 'own_key' | 'other_key' | 'hmac_with_public_key' | 'none';
  metadata?: (metadata: Record<string, unknown>) => void;
  /** Instead of the answer of the token endpoint. */
  answer?: { readonly status: number; readonly type?: string; readonly body: string };
  userInfo?: Record<string, unknown>;
};

/** A provider that signs everybody in at once, and lies as `tricks` says. */
export async function startHostileProvider(nowSeconds: () => number) {
  const own = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const tricks: Tricks = {};
  const requests: { readonly path: string; readonly body: string }[] = [];
  const nonces = new Map<string, string>();
  const idToken = (code: string): string => {
    const token: Token = {
      header: { alg: 'RS256', kid: 'k1', typ: 'JWT' },
      payload: { iss: url, sub: 'eve', aud: 'nines', nonce: nonces.get(code), iat: nowSeconds(), exp: nowSeconds() + 300, groups: ['ops'] },
    };
    tricks.token?.(token);
    if (tricks.signing === 'hmac_with_public_key') token.header['alg'] = 'HS256';
    if (tricks.signing === 'none') token.header['alg'] = 'none';
    const signed = [token.header, token.payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    if (tricks.signing === 'none') return `${signed}.`;
    const key = tricks.signing === 'other_key' ? other.privateKey : own.privateKey;
    const signature =
      tricks.signing === 'hmac_with_public_key'
        ? createHmac('sha256', own.publicKey.export({ type: 'spki', format: 'pem' }))
            .update(signed)
            .digest()
        : sign('sha256', Buffer.from(signed), key);
    return `${signed}.${signature.toString('base64url')}`;
  };
  const answers: Readonly<Record<string, () => unknown>> = {
    '/.well-known/openid-configuration': () => {
      const metadata: Record<string, unknown> = {
        issuer: url,
        authorization_endpoint: `${url}/authorize`,
        token_endpoint: `${url}/token`,
        jwks_uri: `${url}/jwks`,
        userinfo_endpoint: `${url}/me`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
      };
      tricks.metadata?.(metadata);
      return metadata;
    },
    '/jwks': () => ({ keys: [{ ...own.publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'RS256' }] }),
    '/me': () => ({ sub: 'eve', preferred_username: 'eve', ...tricks.userInfo }),
  };
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const path = (request.url ?? '').split('?', 1)[0] ?? '';
      requests.push({ path, body });
      if (path === '/token') {
        const { status, type = 'application/json', body: given } = tricks.answer ?? { status: 200, body: undefined };
        const code = new URLSearchParams(body).get('code') ?? '';
        response.writeHead(status, { 'content-type': type });
        response.end(given ?? JSON.stringify({ access_token: 'at', token_type: 'Bearer', id_token: idToken(code) }));
        return;
      }
      const answer = answers[path];
      response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer?.() ?? {}));
    });
  });
  const listening = await listenOnLoopback(server);
  const { url } = listening;
  return {
    url,
    tricks,
    requests,
    /** What the provider would send the browser back with, for the address it was sent to. */
    answerTo(authorizationUrl: string, code = 'c1'): URLSearchParams {
      const asked = new URL(authorizationUrl).searchParams;
      nonces.set(code, asked.get('nonce') ?? '');
      return new URLSearchParams({ code, state: asked.get('state') ?? '', iss: url });
    },
    [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose](),
  };
}
