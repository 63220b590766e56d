import type { ServerResponse } from 'node:http';
import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import { isFull } from '@nines/model/scope.ts';
import type { Scope } from '@nines/model/storage.ts';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Bus, type Fact, TOPICS } from '../bus.ts';
import type { Actor, Gate, Http, Inside, StreamFollower, StreamReader, StreamReaders } from './contract.ts';
import { unnamed } from './explained.ts';
import { streamName } from './fields.ts';

/** Messages kept for readers that come back: some minutes of a busy installation, about 2 MB at most. */
const RING_SIZE = 2_000;
/** Two thousand viewers and what comes back before it is known to be gone. An idle one holds some 20 kB (2 000 of them: 42 MB). */
const MAX_STREAMS = 2_500;
/** Of one person or token: every tab opens one, a wall of screens shares a token. Nobody takes all places. */
const MAX_STREAMS_EACH = 100;
/** What a reader may leave unread before it is cut off; it comes back and replays or resyncs. */
const MAX_UNREAD_BYTES = 1024 * 1024;
/** What a reader may leave unread before it is sent no more values until it has read them. */
const SLOW_BYTES = 64 * 1024;
/** Shorter than the 30 to 60 s after which proxies close a silent connection. */
const HEARTBEAT_MS = 15 * SECOND_MS;
const RECONNECT_MS = 2 * SECOND_MS;
/** When somebody for whom there was no place may ask again. */
const RETRY_MS = 30 * SECOND_MS;
const STREAM = '/api/stream';

/** `about`: the labels of what a fact is about, all of which must be inside a reader's scope; undefined when nobody can tell. */
type Kept = { readonly id: number; readonly topic: string; readonly frame: string; readonly about: readonly Labels[] | undefined };
type Labels = Readonly<Record<string, string>>;
type Cause = { readonly kind?: unknown; readonly subject?: unknown };
type Reader = StreamReader & {
  readonly request: FastifyRequest;
  readonly response: ServerResponse;
  readonly topics: ReadonlySet<string>;
  actor: Actor;
};

type StreamDeps = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly gate: Gate;
  /** What is inside a scope. Absent: readers with a scope hear only that something changed. */
  readonly inside?: Inside;
  readonly limits?: StreamLimits;
};

/** How many streams are open at once, of all and of one person or token. */
type StreamLimits = { readonly all: number; readonly each: number };
const LIMITS: StreamLimits = { all: MAX_STREAMS, each: MAX_STREAMS_EACH };

export type LiveStream = AsyncDisposable &
  StreamReaders & {
    /** How many readers are connected. */
    readers(): number;
    /** Credentials have ended: examines every reader's at once, instead of with the next heartbeat. */
    reexamine(): void;
  };

/**
 * `GET /api/stream`: the bus' facts as server-sent events `{ id, topic, type, at_ms, data }`. Ids rise, also across restarts
 * as long as the clock does not step back. A reader that names its last id gets what it missed, or `resync` when that is no
 * longer known. Credentials are looked at again with every heartbeat, so a revoked one ends its streams. Dispose before the
 * server closes.
 */
export function serveStream(http: Http, deps: StreamDeps): LiveStream {
  const { bus, clock, gate, inside, limits = LIMITS } = deps;
  const ring: Kept[] = [];
  const readers = new Set<Reader>();
  const followers: StreamFollower[] = [];
  let lastId = clock.now() * 1000;

  const leave = (reader: Reader): void => {
    if (readers.delete(reader)) for (const follower of followers) follower.ended(reader);
  };
  const drop = (reader: Reader): void => {
    leave(reader);
    reader.response.destroy();
  };
  const write = (reader: Reader, text: string): void => {
    if (reader.response.writableLength > MAX_UNREAD_BYTES) drop(reader);
    else reader.response.write(text);
  };
  const subscription = bus.subscribe((fact) => {
    const kept = keep(ring, ++lastId, fact);
    for (const reader of readers) if (isFor(reader, kept, inside)) write(reader, frameFor(reader.actor.scope, kept));
  });
  const examiner = examinerOf(gate, { readers, followers, write, leave });
  const beat = async (): Promise<void> => {
    await examiner.examine(': still here\n\n');
    timer = clock.after(HEARTBEAT_MS, () => void beat());
  };
  let timer = clock.after(HEARTBEAT_MS, () => void beat());

  http.get(
    STREAM,
    {
      // A HEAD would hold a stream open that nobody can read.
      exposeHeadRoute: false,
      config: { permission: 'read', scoped: 'handler' },
      schema: { summary: 'Live facts as server-sent events', querystring: streamQuery },
    },
    async (request, reply) => {
      admit(readers, request.actor, limits);
      reply.hijack();
      const response = reply.raw;
      const { topics: asked, name } = request.query;
      const reader = readerOf(request as unknown as FastifyRequest, { response, name, topics: topicsFor(gate, request.actor, asked) });
      begin(response, reply.getHeaders());
      const isHis = (kept: Kept): boolean => isFor(reader, kept, inside);
      for (const text of missed(ring, {
        since: request.headers['last-event-id'],
        lastId,
        nowMs: clock.now(),
        isHis,
        scope: reader.actor.scope,
      }))
        response.write(text);
      readers.add(reader);
      response.on('close', () => leave(reader));
      response.on('error', () => drop(reader));
    },
  );
  return {
    readers: () => readers.size,
    find: (actor, name) => [...readers].findLast((reader) => reader.name === name && isSameActor(reader.actor, actor)),
    follow: (follower) => void followers.push(follower),
    reexamine: () => examiner.look(),
    async [Symbol.asyncDispose]() {
      subscription[Symbol.dispose]();
      timer[Symbol.dispose]();
      for (const reader of readers) {
        leave(reader);
        reader.response.end();
      }
    },
  };
}

/** `AppError` `too_many_streams`. Where there is no authentication all are one, and only the whole is bounded. */
function admit(readers: ReadonlySet<Reader>, { kind, id }: Actor, { all, each }: StreamLimits): void {
  const again = { retryAfterMs: RETRY_MS };
  if (kind === 'user' || kind === 'token') {
    let own = 0;
    for (const { actor } of readers) if (actor.kind === kind && actor.id === id) own++;
    if (own >= each) throw new AppError('limited', 'too_many_streams', `you have ${each} live streams open; close some pages`, again);
  }
  if (readers.size >= all)
    throw new AppError('unavailable', 'too_many_streams', `${all} live streams are open, no more are taken; try again later`, again);
}

const isSameActor = (one: Actor, other: Actor): boolean => one.kind === other.kind && one.id === other.id;

type Opening = { readonly response: ServerResponse; readonly topics: ReadonlySet<string>; readonly name: string | undefined };

const readerOf = (request: FastifyRequest, { response, topics, name }: Opening): Reader => ({
  request,
  response,
  topics,
  actor: request.actor,
  ...(name !== undefined && { name }),
  get takes() {
    return response.writableLength <= SLOW_BYTES;
  },
  send(events) {
    if (!this.takes) return false;
    response.write(events);
    return true;
  },
});

/** Whether a reader is told: of its topics what is inside its scope. */
function isFor({ topics, actor: { scope } }: Reader, { topic, about }: Kept, inside: Inside | undefined): boolean {
  if (!topics.has(topic)) return false;
  return isFull(scope) || about?.every((labels) => inside?.labels(scope, labels) === true) === true;
}

/** A fact without data only says that there is something to read again. */
function aboutOf(data: unknown): readonly Labels[] | undefined {
  if (data === null) return [];
  const { service, services, labels, causes } = data as Readonly<Record<'service' | 'services' | 'labels' | 'causes', unknown>>;
  const of = typeof service === 'string' ? { service } : {};
  if (typeof labels === 'object' && labels !== null) return [{ ...of, ...(labels as Labels) }];
  if (typeof service === 'string') return [of as Labels];
  if (!Array.isArray(services) || services.length === 0) return undefined;
  // A problem names what probably caused it, which may have no alert itself.
  const named = Array.isArray(causes)
    ? (causes as readonly Cause[]).flatMap(({ kind, subject }) => (kind === 'service' ? [subject] : []))
    : [];
  return [...services, ...named].map((one) => ({ service: String(one) }));
}

/** What a reader hears of what it asked for: what its role may read. */
const topicsFor = (gate: Gate, actor: Actor, asked: ReadonlySet<string> = new Set(TOPICS)): ReadonlySet<string> =>
  new Set([...asked].filter((topic) => gate.hears?.(actor, topic) !== false));

/** Whether all of `topics` may still be heard. */
const isHeard = (gate: Gate, actor: Actor, topics: ReadonlySet<string>): boolean =>
  [...topics].every((topic) => gate.hears?.(actor, topic) !== false);

type Examined = {
  readonly readers: ReadonlySet<Reader>;
  readonly followers: readonly StreamFollower[];
  readonly write: (reader: Reader, text: string) => void;
  readonly leave: (reader: Reader) => void;
};

/** Ends the streams of whoever may read no more. */
function examinerOf(gate: Gate, { readers, followers, write, leave }: Examined) {
  /** Whoever may go on gets `text`. */
  const examine = async (text: string): Promise<void> => {
    for (const reader of readers) {
      const actor = await gate.authenticate(reader.request).catch(() => undefined);
      if (actor !== undefined && gate.allows(actor, 'read', gate.areaOf?.(STREAM)) && isHeard(gate, actor, reader.topics)) {
        reader.actor = actor;
        for (const follower of followers) follower.examined(reader);
        write(reader, text);
      } else {
        leave(reader);
        reader.response.end();
      }
    }
  };
  let isLooking = false;
  let isDue = false;
  return {
    examine,
    /** One look at a time, and one more after it for what ended meanwhile: many who sign out do not multiply the work. */
    look(): void {
      isDue = true;
      if (isLooking) return;
      isLooking = true;
      void (async () => {
        while (isDue) {
          isDue = false;
          await examine(': looked at\n\n');
        }
        isLooking = false;
      })();
    },
  };
}

const topicList = z.string().transform((text, context): ReadonlySet<string> => {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !(TOPICS as readonly string[]).includes(name));
  if (unknown === undefined) return new Set(names);
  context.addIssue({ code: 'custom', message: `unknown topic "${unknown}" (there are ${TOPICS.join(', ')})` });
  return z.NEVER;
});

const streamQuery = z.object({
  topics: topicList.optional(),
  name: streamName
    .optional()
    .meta({ description: 'what `PUT /api/stream/queries` calls this stream; chosen at random by whoever opens it' }),
});

function keep(ring: Kept[], id: number, fact: Fact): Kept {
  const message = { id, topic: fact.topic, type: fact.type, at_ms: fact.atMs, data: fact.data };
  const kept: Kept = { id, topic: fact.topic, about: aboutOf(fact.data), frame: `id: ${id}\ndata: ${JSON.stringify(message)}\n\n` };
  ring.push(kept);
  if (ring.length > RING_SIZE) ring.shift();
  return kept;
}

type Asked = {
  readonly since: string | string[] | undefined;
  readonly lastId: number;
  readonly nowMs: number;
  readonly isHis: (kept: Kept) => boolean;
  readonly scope: Scope;
};

const frameFor = (scope: Scope, { frame }: Kept): string => (isFull(scope) ? frame : unnamed(frame));

/** What a returning reader missed; `resync` tells it to read everything again. */
function missed(ring: readonly Kept[], asked: Asked): readonly string[] {
  if (asked.since === undefined) return [];
  const since = Number(asked.since);
  if (since === asked.lastId) return [];
  // Everything after `since` is still known when the ring reaches back to the very next id.
  const known = since < asked.lastId && (ring[0]?.id ?? Number.POSITIVE_INFINITY) <= since + 1;
  if (!known) {
    const message = { id: asked.lastId, topic: 'stream', type: 'resync', at_ms: asked.nowMs, data: null };
    return [`id: ${asked.lastId}\ndata: ${JSON.stringify(message)}\n\n`];
  }
  return ring.filter((kept) => kept.id > since && asked.isHis(kept)).map((kept) => frameFor(asked.scope, kept));
}

function begin(response: ServerResponse, headers: Parameters<typeof headersOf>[0]): void {
  response.writeHead(200, {
    ...headersOf(headers),
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  response.write(`retry: ${RECONNECT_MS}\n\n`);
}

/** The headers that hooks have set on the reply, which a hijacked answer must write itself. */
function headersOf(headers: Readonly<Record<string, string | number | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])));
}
