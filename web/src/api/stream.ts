/**
 * The live stream from the server, one connection per browser: HTTP/1.1 allows a browser six per host, and a person who opens
 * seven tabs would wait for ever. The tab that holds the lock listens to the server and tells the others; when it goes, the next
 * tab takes over. Where the browser offers no locks (plain HTTP on another host), each tab listens by itself.
 */
import { backoffMs } from './live-state.ts';
import type { FactWire } from './wire.ts';

export type LiveState = 'connecting' | 'live' | 'offline';

export type StreamHandlers = {
  readonly onState: (state: LiveState) => void;
  readonly onFact: (fact: FactWire) => void;
  readonly onResync: () => void;
  /** The server refuses the stream: the session may have ended, or there are too many streams. */
  readonly onRefused: () => void;
};

/**
 * Holds one stream open until disposed. The browser itself comes back with `Last-Event-ID` after a cut; when the server
 * refuses (signed out, too many streams), this tries again with growing waits.
 */
function openStream({ onState, onFact, onResync, onRefused }: StreamHandlers): () => void {
  let source: EventSource | undefined;
  let timer: number | undefined;
  let tries = 0;
  let closed = false;
  const take = (event: MessageEvent<string>) => {
    const fact = JSON.parse(event.data) as FactWire;
    if (fact.type === 'resync') onResync();
    else onFact(fact);
  };
  const open = () => {
    source = new EventSource('/api/stream');
    source.onopen = () => {
      // What happened between the page's first reads and this connection, or while it was cut, is not in its stream.
      onResync();
      tries = 0;
      onState('live');
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

/** The name of the lock and of the channel between tabs. */
const SHARED = 'nines-stream';

type Told =
  | { readonly kind: 'hello' | 'resync' | 'refused' }
  | { readonly kind: 'state'; readonly state: LiveState }
  | { readonly kind: 'fact'; readonly fact: FactWire };

function apply(told: Told, handlers: StreamHandlers): void {
  if (told.kind === 'state') handlers.onState(told.state);
  if (told.kind === 'fact') handlers.onFact(told.fact);
  if (told.kind === 'resync') handlers.onResync();
  if (told.kind === 'refused') handlers.onRefused();
}

/** Follows the stream, through this tab's own connection or another tab's. Returns what ends it. */
export function shareStream(handlers: StreamHandlers): () => void {
  if (!('locks' in navigator)) return openStream(handlers);
  const channel = new BroadcastChannel(SHARED);
  const abort = new AbortController();
  let ownState: LiveState | undefined;
  let followed = false;
  channel.onmessage = ({ data }: MessageEvent<Told>) => {
    // A tab that comes later asks how things stand; only the one that knows answers.
    if (data.kind === 'hello') {
      if (ownState !== undefined) channel.postMessage({ kind: 'state', state: ownState } satisfies Told);
    } else {
      // The tab that listens was connected all along, this one's first reads may be older.
      if (!followed && data.kind === 'state' && data.state === 'live') handlers.onResync();
      followed = true;
      apply(data, handlers);
    }
  };
  channel.postMessage({ kind: 'hello' } satisfies Told);
  const tell = (told: Told) => {
    if (told.kind === 'state') ownState = told.state;
    apply(told, handlers);
    channel.postMessage(told);
  };
  const lead = () =>
    new Promise<void>((release) => {
      const close = openStream({
        onState: (state) => tell({ kind: 'state', state }),
        onFact: (fact) => tell({ kind: 'fact', fact }),
        onResync: () => tell({ kind: 'resync' }),
        onRefused: () => tell({ kind: 'refused' }),
      });
      // Between the tab that went and this one, facts may have been lost.
      if (followed) tell({ kind: 'resync' });
      abort.signal.addEventListener('abort', () => {
        close();
        release();
      });
    });
  navigator.locks.request(SHARED, { signal: abort.signal }, lead).catch((thrown: unknown) => {
    if (!abort.signal.aborted) throw thrown;
  });
  return () => {
    abort.abort();
    channel.close();
  };
}
