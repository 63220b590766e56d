import type { AttemptCookie } from './contract.ts';

const PLAIN_NAME = 'nines_sso';
const SECURE_NAME = '__Host-nines_sso';

/** Lax, because the provider's answer is a navigation that begins at another site. */
export function attemptCookie({ secure }: { readonly secure: boolean }): AttemptCookie {
  const name = secure ? SECURE_NAME : PLAIN_NAME;
  const attributes = { path: '/', httpOnly: true, sameSite: 'lax', secure } as const;
  return {
    read: (request) => request.cookies[name],
    set: (reply, value) => void reply.setCookie(name, value, attributes),
    clear: (reply) => void reply.clearCookie(name, attributes),
  };
}
