import { DAY_MS } from '@nines/base/units.ts';
import { isSame } from '../platform/is-same.ts';
import { hmac } from './signatures.ts';

/** A link is for the night that it was sent in; the pages of the product stay open to whoever may sign in. */
export const LINK_MS = DAY_MS;

export type OpenedLink = { readonly alertId: string; readonly channel: string; readonly expiresAtMs: number };

/**
 * Links that acknowledge one alert, good for a day: `<alert>.<channel>.<expiry>.<HMAC-SHA256>`, each part base64url. What they
 * say is signed, so nothing is kept; who has one may acknowledge that alert and nothing else.
 */
export class AcknowledgeLinks {
  readonly #secret: string;
  readonly #externalUrl: string;

  constructor(secret: string, externalUrl: string) {
    this.#secret = secret;
    this.#externalUrl = externalUrl;
  }

  urlOf(alertId: string, channel: string, nowMs: number): string {
    const said = [alertId, channel, String(nowMs + LINK_MS)].map((part) => Buffer.from(part).toString('base64url')).join('.');
    return `${this.#externalUrl}/acknowledge/${said}.${this.#sign(said)}`;
  }

  /** What the link says; `expired` when its time is over, undefined when it is none of ours. */
  open(token: string, nowMs: number): OpenedLink | 'expired' | undefined {
    const at = token.lastIndexOf('.');
    const said = token.slice(0, Math.max(0, at));
    if (!isSame(token.slice(at + 1), this.#sign(said))) return undefined;
    const [alertId = '', channel = '', expiry = ''] = said.split('.').map((part) => Buffer.from(part, 'base64url').toString('utf8'));
    return Number(expiry) > nowMs ? { alertId, channel, expiresAtMs: Number(expiry) } : 'expired';
  }

  #sign(said: string): string {
    return hmac('sha256', this.#secret, `acknowledge.${said}`).toString('base64url');
  }
}
