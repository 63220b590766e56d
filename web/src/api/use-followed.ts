import { useContext, useEffect, useSyncExternalStore } from 'react';
import { type Asked, type Line, identityOf } from './followed.ts';
import { FollowedContext } from './live.tsx';

const NOT_YET: Line = { state: 'waiting', picture: undefined };

/** What the server says of queries as it changes, in their order; while `enabled` is false nothing is followed. */
export function useFollowed(asked: readonly Asked[], enabled: boolean): { readonly lines: readonly Line[]; readonly stamp: string } {
  const followed = useContext(FollowedContext);
  const words = enabled ? asked.map(identityOf).join('\n') : '';
  useEffect(() => {
    if (words === '') return;
    const ends = asked.map((one) => followed.want(one));
    return () => {
      for (const end of ends) end();
    };
    // The words say what is asked; the list is made anew with every render.
  }, [followed, words]);
  const stamp = useSyncExternalStore(followed.subscribe, () => (words === '' ? '' : followed.stampOf(asked)));
  return { lines: words === '' ? asked.map(() => NOT_YET) : asked.map((one) => followed.of(one)), stamp };
}
