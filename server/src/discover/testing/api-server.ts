import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { KubeObject } from '../kubernetes/objects.ts';

/**
 * Kubernetes' API as far as discovery speaks it: lists in pages, watches from a resource version, bookmarks, and 410 for a
 * version that is too old. Source: kubernetes.io/docs/reference/using-api/api-concepts.
 */
export type ApiServer = AsyncDisposable & {
  readonly url: string;
  /** `LIST /api/v1/pods`, `WATCH /api/v1/pods 3`, in order. */
  readonly asked: string[];
  readonly authorizations: Set<string | undefined>;
  /** Adds or changes an object and tells who watches. */
  put(path: string, object: KubeObject): void;
  remove(path: string, object: KubeObject): void;
  /** Tells every watcher the newest version, without a change. */
  bookmark(): void;
  /** Ends every watch in order, as the server does when its time is over. */
  endWatches(): void;
  /** Cuts every connection that watches, as a restart of the server does. */
  breakWatches(): void;
  /** Forgets history: versions up to now are too old to watch from. `openly` also ends the watches with the error event. */
  compact(openly: boolean): void;
  /** Refuses every request with this status; 0 ends that. */
  refuse(status: number): void;
};

type Change = { readonly version: number; readonly type: string; readonly path: string; readonly object: KubeObject };
type Watcher = { readonly path: string; readonly response: ServerResponse };

export async function startApiServer(): Promise<ApiServer> {
  let version = 1;
  let oldest = 0;
  let refusing = 0;
  const asked: string[] = [];
  const authorizations = new Set<string | undefined>();
  const objects = new Map<string, { path: string; object: KubeObject }>();
  const history: Change[] = [];
  const watchers = new Set<Watcher>();
  const stamped = ({ metadata, ...rest }: KubeObject, at: number): KubeObject => {
    const versioned = { ...metadata, resourceVersion: String(at) };
    return { ...rest, metadata: versioned };
  };
  const send = ({ response }: Watcher, type: string, object: unknown): void => void response.write(`${JSON.stringify({ type, object })}\n`);
  const change = (type: string, path: string, object: KubeObject): void => {
    version++;
    const made = { version, type, path, object: stamped(object, version) };
    history.push(made);
    for (const watcher of watchers) if (watcher.path === path) send(watcher, type, made.object);
  };
  const keyOf = (path: string, { metadata }: KubeObject): string => `${path} ${metadata.namespace ?? ''}/${metadata.name}`;
  const list = (path: string, query: URLSearchParams, response: ServerResponse): void => {
    const all = [...objects.values()].filter((one) => one.path === path).map(({ object }) => object);
    const from = Number(query.get('continue') ?? 0);
    // Small pages, so that every list has several.
    const to = from + Math.min(2, Number(query.get('limit')));
    const metadata = { resourceVersion: String(version), ...(to < all.length ? { continue: String(to) } : {}) };
    response.end(JSON.stringify({ metadata, items: all.slice(from, to) }));
  };
  const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
  const watch = (path: string, query: URLSearchParams, response: ServerResponse): void => {
    const since = Number(query.get('resourceVersion'));
    if (since < oldest) return void response.writeHead(410).end(JSON.stringify(gone));
    const watcher = { path, response };
    response.writeHead(200);
    response.flushHeaders();
    for (const one of history) if (one.path === path && one.version > since) send(watcher, one.type, one.object);
    watchers.add(watcher);
    response.on('close', () => watchers.delete(watcher));
  };
  const server = createServer((request: IncomingMessage, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x');
    authorizations.add(request.headers.authorization);
    if (refusing !== 0) return void response.writeHead(refusing).end(JSON.stringify({ message: 'pods is forbidden' }));
    const watching = searchParams.get('watch') === '1';
    const selector = searchParams.get('labelSelector');
    asked.push(
      `${watching ? 'WATCH' : 'LIST'} ${pathname}${watching ? ` ${searchParams.get('resourceVersion')}` : ''}${selector === null ? '' : ` ${selector}`}`,
    );
    if (watching) watch(pathname, searchParams, response);
    else list(pathname, searchParams, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    authorizations,
    put: (path, object) => {
      const key = keyOf(path, object);
      const type = objects.has(key) ? 'MODIFIED' : 'ADDED';
      objects.set(key, { path, object });
      change(type, path, object);
    },
    remove: (path, object) => {
      objects.delete(keyOf(path, object));
      change('DELETED', path, object);
    },
    bookmark: () => {
      version++;
      for (const watcher of watchers) send(watcher, 'BOOKMARK', { metadata: { resourceVersion: String(version) } });
    },
    endWatches: () => {
      for (const { response } of watchers) response.end();
    },
    breakWatches: () => {
      for (const { response } of watchers) response.destroy();
    },
    compact: (openly) => {
      version++;
      oldest = version;
      if (!openly) return;
      for (const watcher of watchers) {
        send(watcher, 'ERROR', gone);
        watcher.response.end();
      }
    },
    refuse: (status) => {
      refusing = status;
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
