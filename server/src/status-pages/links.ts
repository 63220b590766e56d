import { createHmac } from 'node:crypto';
import { isSame } from '../platform/is-same.ts';
import type { StatusPageSpec } from './contract.ts';

/** What a signature is for: one made for another purpose never holds. */
type Purpose = 'cookie' | 'pass' | 'confirm' | 'unsubscribe';

/**
 * Links and cookies that carry what they say, signed (HMAC-SHA256): nothing has to be kept for an address that nobody has confirmed. A text is
 * `<payload>.<signature>`, both base64url.
 */
export class Links {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  sign(purpose: Purpose, payload: unknown): string {
    const body = Buffer.from(JSON.stringify(payload)).toString('base64url');
    return `${body}.${this.#mac(purpose, body)}`;
  }

  /** What was signed for this purpose; undefined when the text was not. */
  open(purpose: Purpose, text: string): unknown {
    const [body = '', mac = '', ...rest] = text.split('.');
    if (rest.length > 0 || !isSame(mac, this.#mac(purpose, body))) return undefined;
    return JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
  }

  /** Names what opens a private page without saying it: with another password or token, what was opened before is closed. */
  keyholeOf({ private: secrets }: StatusPageSpec): string {
    return this.#mac('keyhole', JSON.stringify([secrets?.password?.reveal(), secrets?.token?.reveal()]));
  }

  /** Finds an address again without saying it: nobody without the secret can try addresses against it. */
  digest(address: string): string {
    return this.#mac('address', address);
  }

  #mac(purpose: Purpose | 'keyhole' | 'address', body: string): string {
    return createHmac('sha256', this.#secret).update(`${purpose}.${body}`).digest('base64url');
  }
}
