import { DAY_MS, MINUTE_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { isSame } from '../platform/is-same.ts';
import type { StatusPageSpec } from './contract.ts';
import type { Links } from './links.ts';

/** How long a private page stays open in a browser, and how long a link from the application holds. */
export const VISIT_MS = 30 * DAY_MS;
const PASS_MS = 5 * MINUTE_MS;

export const cookieOf = ({ id }: StatusPageSpec): string => `nines_status_${id}`;

const grant = z.tuple([z.string(), z.number(), z.string()]);

const signed = (links: Links, purpose: 'cookie' | 'pass', page: StatusPageSpec, untilMs: number): string =>
  links.sign(purpose, [page.id, untilMs, links.keyholeOf(page)]);

/** The cookie's value for a browser that may see a private page; it ends with the page's password and token. */
export const visitOf = (links: Links, page: StatusPageSpec, nowMs: number): string => signed(links, 'cookie', page, nowMs + VISIT_MS);

/** The same for a link from the application. */
export const passOf = (links: Links, page: StatusPageSpec, nowMs: number): string => signed(links, 'pass', page, nowMs + PASS_MS);

export function isGrant(
  links: Links,
  purpose: 'cookie' | 'pass',
  page: StatusPageSpec,
  asked: { readonly text: string; readonly nowMs: number },
): boolean {
  const opened = grant.safeParse(links.open(purpose, asked.text));
  return opened.success && opened.data[0] === page.id && opened.data[1] > asked.nowMs && opened.data[2] === links.keyholeOf(page);
}

/** Whether a text is the token, or the password, of a private page. */
export function isKey(page: StatusPageSpec, kind: 'token' | 'password', text: string): boolean {
  const secret = page.private?.[kind];
  return secret !== undefined && isSame(secret.reveal(), text);
}
