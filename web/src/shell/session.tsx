import { createContext, useContext } from 'react';
import { CLOSED, mayIn, reasonOf } from '../api/permits.ts';
import type { AreaName, PermissionName, SessionView } from '../api/wire.ts';

export const SessionContext = createContext<SessionView | null>(null);

/** Who uses the page. Only below the shell, which waits for it. */
export function useSession(): SessionView {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('BUG: a page outside of the shell asked who uses it');
  return session;
}

/** Whether the person may do this: what they may not do is not offered, or stands there `Locked`. */
export const useCan = (verb: PermissionName, area: AreaName): boolean => mayIn(useSession(), verb, area);

/** Why they may not, in words; undefined when they may. `whole`: only who sees everything may. */
export function useRefusal(verb: PermissionName, area: AreaName, whole = false): string | undefined {
  const session = useSession();
  if (!mayIn(session, verb, area)) return reasonOf(session, verb, area);
  return whole && session.scope !== '' ? CLOSED : undefined;
}
