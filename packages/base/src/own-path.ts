/** Of the path alone: an empty segment or one that a browser takes out (`.`, `..`, also encoded), after which two slashes may begin it. */
const UNSTEADY = /\/(?:\.|%2e){0,2}\//i;

/**
 * A path of this server to go on to, as it was given; `/` for whatever would lead elsewhere (`//host`, `/\host`, `/.//host`, `https:…`,
 * control characters).
 */
export function ownPath(next: string | undefined): string {
  if (next === undefined || !next.startsWith('/') || /[\p{Cc}\\]/u.test(next)) return '/';
  return UNSTEADY.test(next.split(/[?#]/, 1)[0] ?? '') ? '/' : next;
}
