import { isIP } from 'node:net';
import { type Result, err, ok } from '@nines/base/result.ts';
import type { RelyingParty } from './webauthn.ts';

const isLocalName = (host: string): boolean => host === 'localhost' || host.endsWith('.localhost');

/**
 * Where passkeys are valid: at `server.base_url`; without it at localhost with the port that the connection came to.
 * Browsers tie them to a name and offer them over TLS and at localhost only; the error says what to do.
 */
export function relyingParty(
  baseUrl: string | undefined,
  local: { readonly port: number | undefined; readonly secure: boolean },
): Result<RelyingParty, string> {
  if (baseUrl === undefined) {
    const port = local.port === undefined ? '' : `:${local.port}`;
    return ok({ id: 'localhost', origins: [new URL(`${local.secure ? 'https' : 'http'}://localhost${port}`).origin] });
  }
  const { protocol, hostname, origin } = new URL(baseUrl);
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) {
    return err(`passkeys need a name, and server.base_url is an address: ${origin}`);
  }
  if (protocol !== 'https:' && !isLocalName(hostname)) {
    return err(`browsers offer passkeys over https only, and server.base_url is ${origin}`);
  }
  return ok({ id: hostname, origins: [origin] });
}
