import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, createContext, useContext, useEffect, useState } from 'react';
import { staleRecords } from './live-state.ts';
import { type LiveState, shareStream } from './stream.ts';

/** Facts come in bursts; one read per record and burst is enough. */
const GATHER_MS = 300;

const LiveContext = createContext<LiveState>('connecting');

/** Whether this page hears changes as they happen. */
export const useLive = (): LiveState => useContext(LiveContext);

/** Opens the page's one stream and reads stale records again. Give it once, above everything that reads. */
export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const client = useQueryClient();
  const [state, setState] = useState<LiveState>('connecting');
  useEffect(() => {
    const gathered = new Set<string>();
    let timer: number | undefined;
    const flush = () => {
      timer = undefined;
      for (const record of gathered) void client.invalidateQueries({ queryKey: [record] });
      gathered.clear();
    };
    const close = shareStream({
      onState: setState,
      onResync: () => void client.invalidateQueries(),
      onFact: (fact) => {
        for (const record of staleRecords(fact.topic)) gathered.add(record);
        timer ??= window.setTimeout(flush, GATHER_MS);
      },
    });
    return () => {
      window.clearTimeout(timer);
      close();
    };
  }, [client]);
  return <LiveContext value={state}>{children}</LiveContext>;
}
