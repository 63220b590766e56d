import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, createContext, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { Followed } from './followed.ts';
import { staleRecords } from './live-state.ts';
import { type LiveState, shareStream } from './stream.ts';
import type { FactWire } from './wire.ts';

/** Facts come in bursts; one read per record and burst is enough. */
const GATHER_MS = 300;
/** What is still being read then no longer keeps others from being read again. */
const MOST_READING_MS = 2_000;

/** Notices on one page at a time; older ones make room, and stand in the inbox anyway. */
const MAX_NOTICES = 4;

/** `notification.shown` of the stream. */
export type ShownNotice = {
  readonly id: string;
  readonly title: string;
  readonly status: 'firing' | 'resolved';
  readonly lines: readonly { readonly sentence: string; readonly url: string }[];
  readonly more: string;
};
type Notices = { readonly notices: readonly ShownNotice[]; readonly close: (id: string) => void };

const LiveContext = createContext<LiveState>('connecting');
type FactListeners = Set<(fact: FactWire) => void>;
const FactsContext = createContext<FactListeners>(new Set());
/** What this tab follows. */
export const FollowedContext = createContext(new Followed());
const NoticesContext = createContext<Notices>({ notices: [], close: () => undefined });

/** What channels told this page, and how one is closed. */
export const useShownNotices = (): Notices => useContext(NoticesContext);

/** Whether this page hears changes as they happen. */
export const useLive = (): LiveState => useContext(LiveContext);

/** Hears each fact of the stream, for lists that change piece by piece. `listener` must stay the same function while it means the same. */
export function useFacts(listener: (fact: FactWire) => void): void {
  const listeners = useContext(FactsContext);
  useEffect(() => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, [listeners, listener]);
}

/** Opens the page's one stream and reads stale records again. Give it once, above everything that reads. */
export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const client = useQueryClient();
  const [state, setState] = useState<LiveState>('connecting');
  const [notices, setNotices] = useState<readonly ShownNotice[]>([]);
  const [listeners] = useState<FactListeners>(() => new Set());
  const [followed] = useState(() => new Followed());
  const close = useCallback((id: string) => setNotices((shown) => shown.filter((one) => one.id !== id)), []);
  const told = useMemo(() => ({ notices, close }), [notices, close]);
  useEffect(() => {
    const gathered = new Set<string>();
    let timer: number | undefined;
    let closed = false;
    // Where reading takes long, what is read most of the time is the page itself, not changes of it.
    const flush = async () => {
      const startMs = performance.now();
      const stale = [...gathered];
      gathered.clear();
      const readAll = (records: readonly string[]) =>
        Promise.allSettled(records.map((record) => client.invalidateQueries({ queryKey: [record] })));
      // A service may be gone: then nothing is asked about it any more.
      const read = readAll(stale.filter((record) => record === 'services')).then(() =>
        readAll(stale.filter((record) => record !== 'services')),
      );
      await Promise.race([read, new Promise((resolve) => window.setTimeout(resolve, MOST_READING_MS))]);
      timer = undefined;
      if (gathered.size > 0) wait(performance.now() - startMs);
    };
    const wait = (tookMs: number) => {
      if (!closed) timer ??= window.setTimeout(() => void flush(), Math.max(GATHER_MS, tookMs));
    };
    const closeStream = shareStream(
      {
        onState: setState,
        onResync: () => void client.invalidateQueries(),
        onRefused: () => void client.invalidateQueries({ queryKey: ['session'] }),
        onFact: (fact) => {
          if (fact.type === 'notification.shown') {
            const notice = fact.data as ShownNotice;
            setNotices((shown) => [...shown.filter((one) => one.id !== notice.id), notice].slice(-MAX_NOTICES));
          }
          for (const listener of listeners) listener(fact);
          for (const record of staleRecords(fact.topic)) gathered.add(record);
          wait(0);
        },
      },
      followed,
    );
    return () => {
      closed = true;
      window.clearTimeout(timer);
      closeStream();
    };
  }, [client, listeners, followed]);
  return (
    <LiveContext value={state}>
      <FactsContext value={listeners}>
        <FollowedContext value={followed}>
          <NoticesContext value={told}>{children}</NoticesContext>
        </FollowedContext>
      </FactsContext>
    </LiveContext>
  );
}
