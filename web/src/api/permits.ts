/**
 * What whoever uses the page may do, so that nothing is asked for that would be refused. The server decides; this only spares it,
 * and the reader, the refusal.
 */
import type { AreaName, PermissionName, SessionView } from './wire.ts';
import { t } from '../language/t.ts';

type Known = Pick<SessionView, 'permits' | 'areas' | 'actor' | 'closed'>;
let known: Known | undefined;

/** Call it with every session that was read. */
export const knowPermits = (session: Known): void => {
  known = session;
};

export const mayIn = ({ permits }: Pick<Known, 'permits'>, verb: PermissionName, area: AreaName): boolean =>
  verb !== 'public' && permits[area]?.includes(verb) === true;

/** Words for what is missing: `needs operate on alerts; your role read-only does not have it`. */
export const reasonOf = ({ actor }: Pick<Known, 'actor'>, verb: PermissionName, area: AreaName): string =>
  t('needs {verb} on {area}; your role {role} does not have it', { verb, area: area.replaceAll('_', ' '), role: actor.role });

/** The area of an address of the API, by its longest known beginning. */
export function areaOf(areas: Known['areas'], path: string): AreaName | undefined {
  for (let head = path.split('?', 1)[0] ?? ''; head !== ''; head = head.slice(0, head.lastIndexOf('/'))) {
    const area = areas[head];
    if (area !== undefined) return area;
  }
  return undefined;
}

/** Why reading `path` would be refused; undefined when it would not, or when nobody knows yet. */
export function refusalOf(method: string, path: string): string | undefined {
  // Questions that are too long for an address are sent by POST.
  const isRead = method === 'GET' || path.startsWith('/api/v1/') || path.startsWith('/api/analytics/');
  if (known === undefined || !isRead) return undefined;
  const area = areaOf(known.areas, path);
  if (area !== undefined && !mayIn(known, 'read', area)) return reasonOf(known, 'read', area);
  return method === 'GET' && isClosed(known.closed, path) ? CLOSED : undefined;
}

export const CLOSED = t('this is not divided by team or label: only those may use it who see everything');

/** Whether an address is closed to whoever sees a part. */
export function isClosed(closed: Known['closed'], address: string): boolean {
  const { pathname, searchParams } = new URL(address, 'http://nines.invalid');
  const parts = pathname.split('/');
  return closed.some(({ path, unless }) => {
    const pattern = path.split('/');
    const same = pattern.length === parts.length && pattern.every((part, index) => part.startsWith(':') || part === parts[index]);
    return same && !unless.some((field) => searchParams.has(field));
  });
}
