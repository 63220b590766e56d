import type { FastifyRequest } from 'fastify';

export type Credential = { readonly kind: 'token' | 'session'; readonly secret: string };

/** A token in the header wins over a cookie, so that a program in a browser acts as what it says it is. */
export function credentialOf(request: FastifyRequest, sessionOf: (request: FastifyRequest) => string | undefined): Credential | undefined {
  const { authorization } = request.headers;
  const kind = authorization === undefined ? 'session' : 'token';
  const secret = authorization === undefined ? sessionOf(request) : tokenOf(authorization);
  return secret === undefined ? undefined : { kind, secret };
}

/** The token in an Authorization header, sent as Bearer, as Token (the word of InfluxDB 2 clients) or as the password of Basic, for clients that know only that. */
export function tokenOf(authorization = ''): string | undefined {
  const bearer = /^(?:Bearer|Token)\s+(\S+)$/i.exec(authorization)?.[1];
  if (bearer !== undefined) return bearer;
  const basic = /^Basic\s+(\S+)$/i.exec(authorization)?.[1];
  return basic === undefined ? undefined : /^[^:]*:(.*)$/s.exec(Buffer.from(basic, 'base64').toString('utf8'))?.[1];
}
