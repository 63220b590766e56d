import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import { Readable, Transform, pipeline } from 'node:stream';
import type { FastifyContextConfig, FastifyReply, FastifyRequest } from 'fastify';
import { keyOf } from '../people/contract.ts';
import type { Http } from '../platform/http/contract.ts';
import { type AuditEntry, REFUSED, SIGN_IN_REFUSED } from './contract.ts';
import type { Refusals } from './refusals.ts';
import type { AuditLog } from './service.ts';

type Deps = {
  readonly audit: Pick<AuditLog, 'append' | 'nameless'>;
  readonly refusals: Pick<Refusals, 'note'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
};

/** Who reads the same again within this time is recorded once, so that a page left open does not fill the log. */
const SAME_READ_MS = 5 * MINUTE_MS;
const MAX_REMEMBERED = 10_000;
/** The headers by which an inner request is the same caller's. */
const CALLER_HEADERS = ['authorization', 'cookie', 'host'] as const;
const UNSAFE: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** Answers to sensitive reads that are smaller are told of by the read alone, unless their route counts what it hands out. */
const MIN_TOLD_BYTES = 1024 * 1024;
/** Where people and programs prove who they are, by what they know, hold, or were sent. */
const SIGN_IN = /^(\/api\/(session|setup|join|sso)(\/|$)|\/status\/:page\/sign-in$)/;
/** There 403 says that a link or the password of a page was wrong; elsewhere, that a request came from another site. */
const REFUSES_BY_403 = /^(\/api\/(setup|join)|\/status)\//;
const SSO_RETURN = '/api/sso/:provider/callback';
const REFUSED_STATUS: ReadonlySet<number> = new Set([401, 403, 429]);

/** What is known of a request whose entry `asked` is written. */
type Open = { readonly seq: number; readonly entry: AuditEntry; after?: unknown };

/**
 * Puts every request that changes something, and sensitive reads, into the audit log: before the handler runs, and again with
 * the outcome. A request whose entry cannot be written is refused. Call it before any route is registered.
 */
export function auditRequests(http: Http, deps: Deps): void {
  const open = new WeakMap<FastifyRequest, Open>();
  const reads = new Map<string, number>();
  const objects = objectsOf(http);
  http.addHook('preHandler', async (request) => {
    const kept = keptOf(request);
    if (kept === 'none' || objects.isLooking()) return;
    const entry = entryOf(request, kept);
    if (kept === 'read') {
      await recordRead(deps, reads, { ...entry, phase: 'read' });
      return;
    }
    const before = await objects.look(request);
    const asked = { ...entry, ...(before !== undefined && { before }) };
    open.set(request, { seq: await deps.audit.append(asked), entry });
  });
  http.addHook('onResponse', async (request, reply) => {
    const status = isSsoRefusal(request, reply) ? 401 : reply.statusCode;
    if (REFUSED_STATUS.has(status) && !objects.isLooking()) await noteRefusal(deps, request, status);
  });
  const taken = new WeakMap<FastifyRequest, { bytes: number }>();
  http.addHook('onSend', async (request, _reply, payload) => {
    if (keptOf(request) !== 'read' || objects.isLooking()) return payload;
    const sum = { bytes: 0 };
    taken.set(request, sum);
    return counted(payload, sum);
  });
  http.addHook('onResponse', async (request, reply) => {
    const bytes = taken.get(request)?.bytes ?? 0;
    if ((bytes < MIN_TOLD_BYTES && request.told === undefined) || reply.statusCode >= 400) return;
    const { asked: _asked, ...entry } = entryOf(request, 'read');
    await deps.audit
      .append({ ...entry, phase: 'answered', status: reply.statusCode, after: { bytes, ...request.told } })
      .catch((thrown: unknown) => {
        deps.logger.error('the size of an answer is missing in the audit log', { bytes, error: messageOf(thrown) });
      });
  });
  http.addHook('preSerialization', async (request, _reply, payload) => {
    const known = open.get(request);
    if (known !== undefined) known.after = payload;
    return payload;
  });
  http.addHook('onSend', async (request, reply) => {
    const known = open.get(request);
    if (known === undefined) return;
    open.delete(request);
    const { after, entry, seq } = known;
    const { asked: _asked, ...about } = entry;
    const status = reply.statusCode;
    const outcome = status < 400 ? (after ?? (await objects.look(request))) : undefined;
    const object = entry.object.id === null ? { ...entry.object, id: idIn(after) } : entry.object;
    try {
      await deps.audit.append({
        ...about,
        object,
        phase: 'answered',
        aboutSeq: seq,
        status,
        ...(outcome !== undefined && { after: outcome }),
      });
    } catch (thrown) {
      // What was done is done and stands in the log as asked; that its outcome is missing shows there too.
      deps.logger.error('the outcome of a request is missing in the audit log', { seq, status, error: messageOf(thrown) });
    }
  });
}

/** Counts what goes out, as it goes. */
function counted(payload: unknown, sum: { bytes: number }): unknown {
  if (typeof payload === 'string' || payload instanceof Uint8Array) sum.bytes = Buffer.byteLength(payload);
  if (!(payload instanceof Readable)) return payload;
  const count = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      sum.bytes += chunk.length;
      done(null, chunk);
    },
  });
  // An error on the way destroys both ends: the client sees a broken answer.
  return pipeline(payload, count, () => undefined);
}

/** Sign-ins that failed, by a digest of the name that was tried; other refusals when it is known whose they are. */
async function noteRefusal({ audit, refusals }: Deps, request: FastifyRequest, status: number): Promise<void> {
  const { method, routeOptions, body, id, ip, known } = request;
  const url = routeOptions.url ?? '';
  const about = { phase: 'done', status, requestId: id, address: ip, asked: { method, route: url } } as const;
  const isReturn = url === SSO_RETURN;
  if (SIGN_IN.test(url) && (isReturn || UNSAFE.has(method)) && (status !== 403 || REFUSES_BY_403.test(`${url}/`))) {
    const { name } = (body ?? {}) as { readonly name?: unknown };
    const account = typeof name === 'string' ? audit.nameless(keyOf(name)) : null;
    const actor = { kind: 'anonymous', id: '', name: '', role: '' } as const;
    await refusals.note({ ...about, actor, action: SIGN_IN_REFUSED, object: { kind: 'sign-ins', id: account } });
  } else if (known !== undefined) {
    const { permission } = routeOptions.config ?? {};
    const needs = permission === undefined ? {} : { needs: permission };
    await refusals.note({ ...about, ...needs, actor: known, action: REFUSED, object: { kind: kindOf(url), id: null } });
  }
}

/** A browser that comes back from an identity provider and is not let in is sent to the page that says why. */
const isSsoRefusal = ({ routeOptions }: FastifyRequest, reply: Pick<FastifyReply, 'getHeader'>): boolean =>
  routeOptions.url === SSO_RETURN && String(reply.getHeader('location') ?? '').startsWith('/login?refused=');

const keptOf = ({ method, routeOptions }: FastifyRequest): 'change' | 'read' | 'none' => keptOfRoute(method, routeOptions.config);

/** What is kept of the requests to a route. Ingest and queries that come by POST are no changes; everything else that is unsafe is. */
export function keptOfRoute(
  method: string,
  { audit, permission }: Pick<FastifyContextConfig, 'audit' | 'permission'> = {},
): 'change' | 'read' | 'none' {
  if (audit !== undefined) return audit;
  return UNSAFE.has(method) && (permission === 'operate' || permission === 'administer') ? 'change' : 'none';
}

function entryOf(request: FastifyRequest, kept: 'change' | 'read'): AuditEntry {
  const { actor, method, routeOptions, params, query, body, id, ip } = request;
  const url = routeOptions.url ?? '';
  const ids = Object.values((params ?? {}) as Record<string, string>);
  const asked = {
    ...(Object.keys((query ?? {}) as object).length > 0 && { query }),
    ...(isShown(body) && { body }),
    ...(!isShown(body) && kept === 'change' && request.headers['content-length'] !== undefined
      ? { type: request.headers['content-type'] ?? null, bytes: Number(request.headers['content-length']) }
      : {}),
  };
  return {
    actor,
    action: `${method} ${url}`,
    object: { kind: kindOf(url), id: ids.length === 0 ? null : ids.join('/') },
    phase: 'asked',
    requestId: id,
    address: ip,
    ...(routeOptions.config?.permission !== undefined && { needs: routeOptions.config.permission }),
    ...(Object.keys(asked).length > 0 && { asked }),
  };
}

/** `oncall/people` of `/api/oncall/people/:id`. */
const kindOf = (url: string): string =>
  url
    .replace(/^\/api\//, '')
    .replace(/^\//, '')
    .split('/')
    .filter((part) => part !== '' && !part.startsWith(':'))
    .join('/');

/** Bodies that were parsed as JSON, where names say what is secret; texts, files and streams are named by type and length. */
const isShown = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && (Array.isArray(body) || [Object.prototype, null].includes(Object.getPrototypeOf(body)));

function idIn(payload: unknown): string | null {
  const { id } = (payload ?? {}) as { readonly id?: unknown };
  return typeof id === 'string' || typeof id === 'number' ? String(id) : null;
}

async function recordRead({ audit, clock }: Deps, reads: Map<string, number>, entry: AuditEntry): Promise<void> {
  const key = JSON.stringify([entry.actor.kind, entry.actor.id, entry.address, entry.action, entry.object.id, entry.asked]);
  const nowMs = clock.now();
  const lastMs = reads.get(key);
  if (lastMs !== undefined && Math.abs(nowMs - lastMs) < SAME_READ_MS) return;
  await audit.append(entry);
  if (reads.size >= MAX_REMEMBERED) reads.clear();
  reads.set(key, nowMs);
}

/** Looks at objects as the caller of a request would, from where they are, by the objects' own addresses. */
function objectsOf(http: Http) {
  const looking = new AsyncLocalStorage<true>();
  const readable = new Set<string>();
  http.addHook('onRoute', ({ method, url }) => {
    if ([method].flat().includes('GET')) readable.add(url);
  });
  /** The longest beginning of the route that ends in a parameter and answers GET. */
  const addressOf = (request: FastifyRequest): string | undefined => {
    const route = (request.routeOptions.url ?? '').split('/');
    const path = (request.url.split('?', 1)[0] ?? '').split('/');
    for (let length = route.length; length > 0; length--) {
      if (route[length - 1]?.startsWith(':') === true && readable.has(route.slice(0, length).join('/')))
        return path.slice(0, length).join('/');
    }
    return undefined;
  };
  return {
    isLooking: () => looking.getStore() === true,
    /** Undefined when it has no address, or is not there. */
    async look(request: FastifyRequest): Promise<unknown> {
      const url = addressOf(request);
      if (url === undefined) return undefined;
      const headers = Object.fromEntries(
        CALLER_HEADERS.flatMap((name) => (request.headers[name] === undefined ? [] : [[name, request.headers[name]]])),
      );
      const answer = await looking.run(true, () => http.inject({ method: 'GET', url, headers, remoteAddress: request.ip }));
      const isJson = answer.headers['content-type']?.toString().startsWith('application/json') === true;
      return answer.statusCode === 200 && isJson ? (answer.json() as unknown) : undefined;
    },
  };
}
