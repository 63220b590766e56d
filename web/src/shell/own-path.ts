/** Any host: only whether the path leaves it counts. */
const HERE = 'http://here.invalid';

/** A path of this server to go on to; `/` for whatever would lead elsewhere (`//host`, `/\host`, `https:…`, control characters). */
export function ownPath(next: string | undefined): string {
  if (next === undefined || !next.startsWith('/') || /[\p{Cc}\\]/u.test(next) || !URL.canParse(next, HERE)) return '/';
  const url = new URL(next, HERE);
  // The parsed path may begin with two slashes although the text did not (`/.//host`), which a browser takes for a host.
  return url.origin === HERE && !url.pathname.startsWith('//') ? `${url.pathname}${url.search}${url.hash}` : '/';
}

/** `refused`: why an identity provider's answer did not sign somebody in. */
export type LoginSearch = { readonly next?: string; readonly refused?: string; readonly kiosk?: 1 };

/** Where to go on after signing in. */
export const loginSearch = ({ next, refused }: Readonly<Record<string, unknown>>): LoginSearch => ({
  ...(typeof next === 'string' && ownPath(next) !== '/' ? { next: ownPath(next) } : {}),
  ...(typeof refused === 'string' ? { refused } : {}),
});
