import { createContext, useContext } from 'react';
import type { PermissionName, SessionView } from '../api/wire.ts';

export const SessionContext = createContext<SessionView | null>(null);

/** Who uses the page. Only below the shell, which waits for it. */
export function useSession(): SessionView {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('BUG: a page outside of the shell asked who uses it');
  return session;
}

/** Whether the person may do this: what they may not do is not offered. */
export const useMay = (permission: PermissionName): boolean => useSession().permissions.includes(permission);
