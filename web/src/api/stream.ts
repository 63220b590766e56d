/**
 * The live stream from the server, one connection per browser: HTTP/1.1 allows a browser six per host, and a person who opens
 * seven tabs would wait for ever. The tab that holds the lock listens to the server and tells the others; when it goes, the next
 * tab takes over. Where the browser offers no locks (plain HTTP on another host), each tab listens by itself.
 */
import { request } from './client.ts';
import { Desk, type FollowAnswer, type Tidings } from './desk.ts';
import type { Asked, Followed } from './followed.ts';
import type { ValueItem } from './live-picture.ts';
import { backoffMs } from './live-state.ts';
import type { FactWire } from './wire.ts';
import { t } from '../language/t.ts';

export type LiveState = 'connecting' | 'live' | 'offline';

export type StreamHandlers = {
  readonly onState: (state: LiveState) => void;
  readonly onFact: (fact: FactWire) => void;
  readonly onResync: () => void;
  /** The server refuses the stream: the session may have ended, or there are too many streams. */
  readonly onRefused: () => void;
};

type Connection = StreamHandlers & {
  /** The server can be told what this stream follows. */
  readonly onOpen: () => void;
  readonly onValues: (items: readonly ValueItem[]) => void;
  /** It may not follow anything any more. */
  readonly onEnded: () => void;
};

/** Nobody else calls a stream so. */
function randomName(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Holds one stream open until disposed. The browser itself comes back with `Last-Event-ID` after a cut; when the server
 * refuses (signed out, too many streams), this tries again with growing waits.
 */
function openStream(name: string, connection: Connection): () => void {
  const { onState, onFact, onResync, onRefused, onOpen, onValues, onEnded } = connection;
  let source: EventSource | undefined;
  let timer: number | undefined;
  let tries = 0;
  let closed = false;
  const take = (event: MessageEvent<string>) => {
    const fact = JSON.parse(event.data) as FactWire;
    if (fact.type === 'resync') onResync();
    else if (fact.type === 'values.changed') onValues(fact.data as readonly ValueItem[]);
    else if (fact.type === 'values.ended') onEnded();
    else onFact(fact);
  };
  const open = () => {
    source = new EventSource(`/api/stream?name=${name}`);
    source.onopen = () => {
      // What happened between the page's first reads and this connection, or while it was cut, is not in its stream.
      onResync();
      tries = 0;
      onState('live');
      onOpen();
    };
    source.onmessage = take;
    source.addEventListener('resync', () => onResync());
    source.onerror = () => {
      if (closed) return;
      onState('offline');
      if (source?.readyState !== EventSource.CLOSED) return;
      onRefused();
      timer = window.setTimeout(open, backoffMs(tries, Math.random()));
      tries++;
    };
  };
  open();
  return () => {
    closed = true;
    window.clearTimeout(timer);
    source?.close();
  };
}

/** Listens to the server for this browser; `tell` reaches this tab and the others. */
function lead(tell: (told: Told) => void): { readonly desk: Desk; readonly close: () => void } {
  const name = randomName();
  const desk = new Desk({
    send: (queries) => request<FollowAnswer>('/api/stream/queries', { method: 'PUT', body: { stream: name, queries } }),
    tell: (tidings, tab) => tell({ kind: 'values', tidings, ...(tab !== undefined && { tab }) }),
    now: () => Date.now(),
    later: (run, delayMs) => void window.setTimeout(run, delayMs),
  });
  const close = openStream(name, {
    onState: (state) => {
      if (state === 'offline') desk.closed();
      tell({ kind: 'state', state });
    },
    onFact: (fact) => tell({ kind: 'fact', fact }),
    onResync: () => tell({ kind: 'resync' }),
    onRefused: () => tell({ kind: 'refused' }),
    onOpen: () => desk.opened(),
    onValues: (items) => desk.said(items),
    onEnded: () => desk.refused(t('You may not read metrics.')),
  });
  return { desk, close };
}

/** The name of the lock and of the channel between tabs. */
const SHARED = 'nines-stream';

type Told =
  | { readonly kind: 'hello' | 'resync' | 'refused' | 'call' }
  | { readonly kind: 'state'; readonly state: LiveState }
  | { readonly kind: 'fact'; readonly fact: FactWire }
  | { readonly kind: 'wants'; readonly tab: string; readonly asked: readonly Asked[] }
  | { readonly kind: 'values'; readonly tidings: Tidings; readonly tab?: string };

type Here = StreamHandlers & { readonly tab: string; readonly followed: Followed };

function apply(told: Told, here: Here): void {
  if (told.kind === 'state') here.onState(told.state);
  if (told.kind === 'fact') here.onFact(told.fact);
  if (told.kind === 'resync') here.onResync();
  if (told.kind === 'refused') here.onRefused();
  if (told.kind === 'values' && (told.tab ?? here.tab) === here.tab) here.followed.take(told.tidings);
  // Another tab listens from now on and knows of nobody.
  if (told.kind === 'call') here.followed.again();
}

/** Follows the stream, through this tab's own connection or another tab's. Returns what ends it. */
export function shareStream(handlers: StreamHandlers, followed: Followed): () => void {
  const here: Here = { ...handlers, followed, tab: randomName() };
  if (!('locks' in navigator)) {
    const { desk, close } = lead((told) => apply(told, here));
    const disconnect = followed.connect((asked) => desk.wants(here.tab, asked));
    return () => {
      disconnect();
      close();
    };
  }
  const channel = new BroadcastChannel(SHARED);
  const abort = new AbortController();
  let own: { readonly desk: Desk; state: LiveState } | undefined;
  let heard = false;
  channel.onmessage = ({ data }: MessageEvent<Told>) => {
    // A tab that comes later asks how things stand; only the one that knows answers.
    if (data.kind === 'hello') {
      if (own !== undefined) channel.postMessage({ kind: 'state', state: own.state } satisfies Told);
    } else if (data.kind === 'wants') own?.desk.wants(data.tab, data.asked);
    else {
      // The tab that listens was connected all along, this one's first reads may be older.
      if (!heard && data.kind === 'state' && data.state === 'live') here.onResync();
      heard = true;
      apply(data, here);
    }
  };
  channel.postMessage({ kind: 'hello' } satisfies Told);
  const disconnect = followed.connect((asked) => {
    if (own === undefined) channel.postMessage({ kind: 'wants', tab: here.tab, asked } satisfies Told);
    else own.desk.wants(here.tab, asked);
  });
  const tell = (told: Told) => {
    if (told.kind === 'state' && own !== undefined) own.state = told.state;
    apply(told, here);
    if (told.kind !== 'values' || told.tab !== here.tab) channel.postMessage(told);
  };
  const listen = () =>
    new Promise<void>((release) => {
      const { desk, close } = lead(tell);
      own = { desk, state: 'connecting' };
      tell({ kind: 'call' });
      // Between the tab that went and this one, facts may have been lost.
      if (heard) tell({ kind: 'resync' });
      abort.signal.addEventListener('abort', () => {
        close();
        release();
      });
    });
  navigator.locks.request(SHARED, { signal: abort.signal }, listen).catch((thrown: unknown) => {
    if (!abort.signal.aborted) throw thrown;
  });
  return () => {
    disconnect();
    abort.abort();
    channel.close();
  };
}
