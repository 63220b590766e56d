import { messageOf } from '@nines/base/errors.ts';
import type { HttpClient } from '../../platform/fetch/client.ts';
import type { SourceDeps } from '../source.ts';
import type { KubeObject } from './objects.ts';

/**
 * The objects of one kind, listed once and then followed. Source: kubernetes.io/docs/reference/using-api/api-concepts,
 * "Efficient detection of changes".
 */
export type Collection<T extends KubeObject> = AsyncDisposable & {
  /** By `namespace/name`, or name alone where there are no namespaces. */
  readonly objects: ReadonlyMap<string, T>;
  /** Whether the list was had at least once. */
  readonly listed: () => boolean;
  /** Why the last attempt failed; '' when it did not. */
  readonly fault: () => string;
};
export type CollectionOptions = {
  readonly client: HttpClient;
  /** `https://10.0.0.1:6443/api/v1/pods`. */
  readonly url: string;
  /** `labelSelector` and `fieldSelector`. */
  readonly query: Readonly<Record<string, string>>;
  readonly onChange: () => void;
};

/** Objects of one page of a list; the answer to a page is far below its limit then. */
const PAGE_OBJECTS = 500;
const MAX_PAGE_BYTES = 64 * 1024 * 1024;
/** etcd takes objects of 1.5 MiB. */
const MAX_EVENT_BYTES = 8 * 1024 * 1024;
const LIST_TIMEOUT_MS = 60_000;
/** The server ends a watch after this, and it is taken up again; a connection that died in silence is noticed soon after it. */
const WATCH_MS = 300_000;
const SILENCE_MS = 15_000;
const RETRY_MS = { first: 1_000, longest: 30_000 };

/** What was known is too old to go on from: everything has to be listed again. */
class Expired extends Error {}

type Event = {
  readonly type: string;
  readonly object: KubeObject & {
    readonly metadata: { readonly resourceVersion?: string };
    readonly code?: number;
    readonly message?: string;
  };
};

export function watchCollection<T extends KubeObject>(options: CollectionOptions, { clock, logger }: SourceDeps): Collection<T> {
  const objects = new Map<string, T>();
  const stopping = new AbortController();
  let listed = false;
  let fault = '';
  let retryMs = RETRY_MS.first;
  const well = (): void => {
    if (fault === '') return;
    fault = '';
    options.onChange();
  };
  const run = async (): Promise<void> => {
    let version: string | undefined;
    while (!stopping.signal.aborted) {
      try {
        if (version === undefined) {
          version = await list(options, objects, stopping.signal);
          listed = true;
          fault = '';
          options.onChange();
        }
        version = await follow({ ...options, clock, version, objects, signal: stopping.signal, onOpen: well });
        retryMs = RETRY_MS.first;
      } catch (thrown) {
        if (stopping.signal.aborted) return;
        const since = thrown instanceof Interrupted ? thrown.version : version;
        const reason = thrown instanceof Interrupted ? thrown.cause : thrown;
        if (since !== version) retryMs = RETRY_MS.first;
        version = reason instanceof Expired ? undefined : since;
        if (reason instanceof Expired) logger.info('a watch is too old to go on and begins again', { url: options.url });
        fault = reason instanceof Expired ? '' : messageOf(reason);
        if (fault !== '') options.onChange();
        await clock.sleep(retryMs, { signal: stopping.signal }).catch(() => undefined);
        retryMs = Math.min(retryMs * 2, RETRY_MS.longest);
      }
    }
  };
  const running = run();
  return {
    objects,
    listed: () => listed,
    fault: () => fault,
    [Symbol.asyncDispose]: () => {
      stopping.abort(new Error('the watch ends'));
      return running;
    },
  };
}

/** Fills `objects` with everything there is, page by page; returns the version that it was. */
async function list<T extends KubeObject>(
  { client, url, query }: CollectionOptions,
  objects: Map<string, T>,
  signal: AbortSignal,
): Promise<string> {
  const found = new Map<string, T>();
  let next = '';
  let version = '';
  do {
    const page = new URLSearchParams({ ...query, limit: String(PAGE_OBJECTS), ...(next === '' ? {} : { continue: next }) });
    const answer = await client.get(`${url}?${page.toString()}`, {
      headers: HEADERS,
      timeoutMs: LIST_TIMEOUT_MS,
      maxBytes: MAX_PAGE_BYTES,
      signal,
    });
    refuseStatus(answer.status, answer.body.toString('utf8'));
    const { items, metadata } = JSON.parse(answer.body.toString('utf8')) as {
      readonly items?: readonly T[] | null;
      readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
    };
    for (const object of items ?? []) found.set(keyOf(object), object);
    next = metadata?.continue ?? '';
    version = metadata?.resourceVersion ?? '';
  } while (next !== '');
  objects.clear();
  for (const [key, object] of found) objects.set(key, object);
  return version;
}

const HEADERS = { accept: 'application/json', 'user-agent': 'Nines' };
/** As much of a refusal as makes a sentence. */
const MAX_REASON_CHARS = 300;

function refuseStatus(status: number, body: string): void {
  if (status === 200) return;
  let message = '';
  try {
    const said = (JSON.parse(body) as { readonly message?: unknown }).message;
    if (typeof said === 'string') message = said;
  } catch {
    // A proxy in between answers with a page; its status says enough.
  }
  const reason = `the API server answered HTTP status ${status}${message === '' ? '' : `: ${message.slice(0, MAX_REASON_CHARS)}`}`;
  throw status === 410 ? new Expired(reason) : new Error(reason);
}

type Following<T extends KubeObject> = CollectionOptions & {
  readonly clock: SourceDeps['clock'];
  readonly version: string;
  readonly objects: Map<string, T>;
  readonly signal: AbortSignal;
  /** The server lets us watch. */
  readonly onOpen: () => void;
};

/** A watch that broke off; `version` is the newest that was seen, from which it can be taken up. */
class Interrupted extends Error {
  readonly version: string;
  constructor(version: string, cause: unknown) {
    super(messageOf(cause), { cause });
    this.version = version;
  }
}

/** Follows changes until the server ends the watch; returns the version to go on from. */
async function follow<T extends KubeObject>({ client, url, query, clock, ...state }: Following<T>): Promise<string> {
  const ending = new AbortController();
  const onAbort = (): void => ending.abort(state.signal.reason);
  state.signal.addEventListener('abort', onAbort, { once: true });
  using _silence = clock.after(WATCH_MS + SILENCE_MS, () => ending.abort(new Error('the watch did not end when it should have')));
  let { version } = state;
  try {
    const watch = { ...query, watch: '1', allowWatchBookmarks: 'true', resourceVersion: version, timeoutSeconds: String(WATCH_MS / 1000) };
    const answer = await client.open(`${url}?${new URLSearchParams(watch).toString()}`, {
      headers: HEADERS,
      timeoutMs: LIST_TIMEOUT_MS,
      signal: ending.signal,
    });
    try {
      if (answer.status !== 200) refuseStatus(answer.status, await firstLine(answer.body));
      state.onOpen();
      for await (const line of linesOf(answer.body)) {
        const event = JSON.parse(line) as Event;
        version = event.object.metadata?.resourceVersion ?? version;
        if (take(event, state.objects)) state.onChange();
      }
    } finally {
      answer.close();
    }
    return version;
  } catch (thrown) {
    throw new Interrupted(version, ending.signal.aborted ? ending.signal.reason : thrown);
  } finally {
    state.signal.removeEventListener('abort', onAbort);
  }
}

/** Whether anything changed. */
function take<T extends KubeObject>({ type, object }: Event, objects: Map<string, T>): boolean {
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      objects.set(keyOf(object), object as unknown as T);
      return true;
    case 'DELETED':
      return objects.delete(keyOf(object));
    case 'BOOKMARK':
      return false;
    default: {
      const reason = object.message ?? `an event of type ${type}`;
      throw object.code === 410 ? new Expired(reason) : new Error(reason);
    }
  }
}

const keyOf = ({ metadata }: KubeObject): string =>
  metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;

async function firstLine(body: AsyncIterable<Buffer>): Promise<string> {
  for await (const line of linesOf(body)) return line;
  return '';
}

async function* linesOf(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...parts, chunk.subarray(from, end)]);
      parts = [];
      bytes = 0;
      from = end + 1;
      if (line.length > 0) yield line.toString('utf8');
    }
    const rest = chunk.subarray(from);
    bytes += rest.length;
    if (bytes > MAX_EVENT_BYTES) throw new Error(`an event of the watch is longer than ${MAX_EVENT_BYTES} bytes`);
    if (rest.length > 0) parts.push(rest);
  }
  const last = Buffer.concat(parts);
  if (last.length > 0) yield last.toString('utf8');
}
