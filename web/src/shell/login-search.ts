import { ownPath } from '@nines/base/own-path.ts';

/** `refused`: why an identity provider's answer did not sign somebody in. */
export type LoginSearch = { readonly next?: string; readonly refused?: string; readonly kiosk?: 1 };

/** Where to go on after signing in. */
export const loginSearch = ({ next, refused }: Readonly<Record<string, unknown>>): LoginSearch => ({
  ...(typeof next === 'string' && ownPath(next) !== '/' ? { next: ownPath(next) } : {}),
  ...(typeof refused === 'string' ? { refused } : {}),
});
