import type { SessionCookie } from './contract.ts';

const PLAIN_NAME = 'nines_session';
/** The prefix that browsers tie to this very host and to TLS (RFC 6265bis); it cannot be used without TLS. */
const SECURE_NAME = '__Host-nines_session';

/** `secure`: requests arrive over TLS, so that the cookie can be tied to it. */
export function sessionCookie({ secure }: { readonly secure: boolean }): SessionCookie {
  const name = secure ? SECURE_NAME : PLAIN_NAME;
  const attributes = { path: '/', httpOnly: true, sameSite: 'lax', secure } as const;
  const read: SessionCookie['read'] = (request) => {
    const value = request.cookies[name];
    return value === undefined || value === '' ? undefined : value;
  };
  return {
    read,
    placeOf: (request) => ({ address: request.ip, userAgent: request.headers['user-agent'] ?? '', cookie: read(request) }),
    set: (reply, value) => void reply.setCookie(name, value, attributes),
    clear: (reply) => void reply.clearCookie(name, attributes),
  };
}
