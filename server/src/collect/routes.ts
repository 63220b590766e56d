import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import { compileRegex } from '@nines/base/regex.ts';
import { CONTENT_TYPES, printExposition } from '@nines/model/exposition-print.ts';
import { StoreUnavailable } from '@nines/model/storage.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { METRIC_NAME, labelValue } from '@nines/model/labels.ts';
import { isFull } from '@nines/model/scope.ts';
import { z } from 'zod';
import type { Actor, DirectAnswer, DirectHandler, Http } from '../platform/http/contract.ts';
import { negotiateExposition } from '../platform/http/exposition.ts';
import type { Aliases } from './aliases.ts';
import type { ArrivalWay, Ingest, OtlpConfig, SampleQuery } from './contract.ts';
import { PAGE_ITEMS, currentValues } from './current-values.ts';
import { currentFigures, history, historyType, parseRange } from './figures.ts';
import { influxRoutes } from './influx-route.ts';
import { MAX_OTLP_BYTES, createOtlpReceiver } from './otlp-route.ts';
import { push, pushBody } from './push.ts';
import { type TargetRoutesDeps, targetRoutes } from './scrape/target-routes.ts';
import { ingestWithin, metadataWithin } from './scoped-ingest.ts';
import { selfFamilies } from './self-view.ts';
import type { SelfRegistry } from './self.ts';
import { MAX_WRITE_BYTES, type WriteAnswer, type WriteDeps, createWriteReceiver } from './write-route.ts';

/** A push of 50 000 items with a few labels each fits. */
const MAX_PUSH_BYTES = 16 * 1024 * 1024;
/** What one answer about metadata holds, unless limited further. */
const MAX_METADATA_FAMILIES = 50_000;

export type CollectRoutesDeps = TargetRoutesDeps & {
  readonly clock: Pick<Clock, 'now'>;
  readonly ingest: Ingest;
  /** The way in for samples that come by that way. */
  readonly arriving?: (way: ArrivalWay, ingest: Ingest) => Ingest;
  readonly self: SelfRegistry;
  readonly aliases: Aliases;
  readonly query: SampleQuery;
  /** This host's `instance`. */
  readonly instance: string;
  /** Whether `/metrics` answers without a credential. */
  readonly metricsOpen: boolean;
  readonly otlp: OtlpConfig;
  readonly inTurn?: WriteDeps['inTurn'];
};

export function collectRoutes(http: Http, deps: CollectRoutesDeps): void {
  const by = (way: ArrivalWay): CollectRoutesDeps => ({ ...deps, ingest: deps.arriving?.(way, deps.ingest) ?? deps.ingest });
  writeRoute(http, by('remote_write'));
  otlpRoute(http, by('otlp'));
  pushRoute(http, by('push'));
  influxRoutes(http, by('influx'));
  figureRoutes(http, deps);
  expositionRoute(http, deps);
  prometheusRoutes(http, deps);
  targetRoutes(http, deps);
}

/** In a scope of its own: its bodies are raw streams, whatever they call themselves. */
function writeRoute(http: Http, deps: CollectRoutesDeps): void {
  const receive = createWriteReceiver({ ingest: deps.ingest, metadata: deps.metadata, metrics: deps.self, inTurn: deps.inTurn });
  http.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    const schema = { summary: 'Remote write 1.0 and 2.0', tags: ['ingest'] };
    const answer: DirectHandler = async (request) => replyOf(await receive(request.headers, request));
    // The short way is for those who see everything; a scope makes what it demands of each series on this one.
    scope.post(
      '/api/v1/write',
      { config: { permission: 'ingest', scoped: 'handler', direct: answer }, bodyLimit: MAX_WRITE_BYTES, schema },
      async (request: FastifyRequest, reply: FastifyReply) => {
        const { status, text, headers } = replyOf(await receive(request.raw.headers, request.raw, request.actor.scope));
        if (headers !== undefined) reply.headers(headers);
        return status === 204 ? reply.code(204).send() : reply.code(status).serializer(String).send(text);
      },
    );
  });
}

function replyOf({ status, text, retryAfterSeconds, headers }: WriteAnswer): DirectAnswer {
  if (status === 204) return headers === undefined ? { status, text: '' } : { status, text: '', headers };
  return {
    status,
    text: `${text}\n`,
    headers: {
      ...headers,
      'content-type': 'text/plain; charset=utf-8',
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    },
  };
}

/** In a scope of its own, as `writeRoute`: what a body is, its receiver decides and says in OTLP's words. */
function otlpRoute(http: Http, deps: CollectRoutesDeps): void {
  const receive = createOtlpReceiver({ ...deps, metrics: deps.self, config: deps.otlp });
  http.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    scope.post(
      '/api/v1/otlp/v1/metrics',
      {
        config: { permission: 'ingest', scoped: 'handler' },
        bodyLimit: MAX_OTLP_BYTES,
        schema: { summary: 'OTLP metrics', tags: ['ingest'] },
      },
      async (request: FastifyRequest, reply: FastifyReply) => {
        const sent = (request.body ?? EMPTY_BODY) as Uint8Array;
        const { status, contentType, body, retryAfterSeconds } = await receive(request.headers, sent, request.actor.scope);
        if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
        return reply
          .code(status)
          .type(contentType)
          .send(Buffer.from(body.buffer, body.byteOffset, body.length));
      },
    );
  });
}
const EMPTY_BODY = new Uint8Array(0);

function pushRoute(http: Http, deps: CollectRoutesDeps): void {
  const schema = { summary: 'Push custom metrics', tags: ['ingest'], body: pushBody };
  http.post(
    '/api/metrics',
    { config: { permission: 'ingest', scoped: 'handler' }, bodyLimit: MAX_PUSH_BYTES, schema },
    async (request, reply) => {
      const items = request.body.metrics;
      const { scope } = request.actor;
      const into = { ingest: ingestWithin(deps.ingest, scope), metadata: metadataWithin(deps.metadata, scope) };
      const refused = await push(items, deps.clock.now(), into).catch((thrown: unknown) => {
        if (thrown instanceof StoreUnavailable)
          throw new AppError('unavailable', 'store_unavailable', thrown.message, { cause: thrown, retryAfterMs: 5_000 });
        throw thrown;
      });
      if (refused.length === 0) return reply.code(204).send();
      const message = `${refused.length} of ${items.length} items were refused, the others are stored`;
      throw new AppError('bad_input', 'metrics_refused', message, { details: refused });
    },
  );
}

/** What the actor of a request sees of the samples. */
const seenBy = (deps: CollectRoutesDeps, { actor: { scope } }: { readonly actor: Actor }): CollectRoutesDeps => ({
  ...deps,
  query: {
    instant: (expr, atMs, options) => deps.query.instant(expr, atMs, { ...options, scope }),
    range: (expr, span, options) => deps.query.range(expr, span, { ...options, scope }),
  },
});

/** Which families have a series now that is seen. */
async function familiesSeen({ query, clock }: CollectRoutesDeps): Promise<(family: string) => boolean> {
  const found = await query.instant('count by (__name__) ({__name__!=""})', clock.now());
  const names = new Set(found.map(({ labels }) => labelValue(labels, METRIC_NAME)));
  return (family) => FAMILY_SUFFIXES.some((suffix) => names.has(family + suffix));
}
const FAMILY_SUFFIXES = ['', '_total', '_bucket', '_sum', '_count', '_info', '_created'];

const rangeQuery = z.object({
  range: z.string().default('1h'),
  /** The end of the range in Unix milliseconds; now when absent. */
  to: z.coerce.number().int().optional(),
});

function figureRoutes(http: Http, deps: CollectRoutesDeps): void {
  const rangeOf = ({ range, to }: z.infer<typeof rangeQuery>) => ({ toMs: to ?? deps.clock.now(), rangeMs: parseRange(range) });
  const config = { permission: 'read', scoped: 'handler' } as const;
  http.get('/api/metrics/current', { config, schema: { summary: 'Figures of this host now', tags: ['metrics'] } }, (request) =>
    currentFigures(seenBy(deps, request), deps.clock.now()),
  );
  http.get(
    '/api/metrics/history/:type',
    {
      config,
      schema: { summary: 'History of one type', tags: ['metrics'], params: z.object({ type: z.string() }), querystring: rangeQuery },
    },
    async (request) => ({
      type: request.params.type,
      ...(await history(seenBy(deps, request), historyType(request.params.type), rangeOf(request.query))),
    }),
  );
  const anyMetric = rangeQuery.extend({ metric: z.string().min(1) });
  http.get(
    '/api/metrics/history',
    { config, schema: { summary: 'History of any metric', tags: ['metrics'], querystring: anyMetric } },
    (request) => history(seenBy(deps, request), [request.query.metric], rangeOf(request.query)),
  );
  const values = z.object({
    metric: z.string().optional(),
    limit: z.coerce.number().int().min(1).max(PAGE_ITEMS.most).default(PAGE_ITEMS.default),
    cursor: z.string().optional(),
  });
  http.get(
    '/api/metrics',
    { config, schema: { summary: 'Current values of stored series', tags: ['metrics'], querystring: values } },
    (request) => {
      const { metric, limit, cursor } = request.query;
      return currentValues(seenBy(deps, request), { atMs: deps.clock.now(), metric, limit, cursor });
    },
  );
  http.get(
    '/api/metrics/aliases',
    {
      config: { ...config, scoped: { free: 'names that the product ships' } },
      schema: { summary: 'Dotted names and what they stand for', tags: ['metrics'] },
    },
    () => ({
      items: deps.aliases.list,
    }),
  );
}

function expositionRoute(http: Http, deps: CollectRoutesDeps): void {
  const config = { permission: deps.metricsOpen ? 'public' : 'read', errors: 'prometheus' } as const;
  http.get('/metrics', { config, schema: { summary: 'Own figures in text or OpenMetrics', tags: ['metrics'] } }, (request, reply) => {
    const format = negotiateExposition(request.headers.accept);
    return reply.type(CONTENT_TYPES[format]).serializer(String).send(printExposition(deps.self.collect(), format));
  });
}

function prometheusRoutes(http: Http, deps: CollectRoutesDeps): void {
  const config = { permission: 'read', errors: 'prometheus' } as const;
  const which = z.object({
    metric: z.string().optional(),
    limit: z.coerce.number().int().optional(),
    limit_per_metric: z.coerce.number().int().optional(),
  });
  http.get(
    '/api/v1/metadata',
    {
      config: { ...config, scoped: 'handler' },
      schema: { summary: 'Type, help and unit of metrics', tags: ['prometheus'], querystring: which },
    },
    async (request) => {
      const { metric, limit = MAX_METADATA_FAMILIES } = request.query;
      const isSeen = isFull(request.actor.scope) ? undefined : await familiesSeen(seenBy(deps, request));
      const data: Record<string, readonly { type: string; help: string; unit: string }[]> = Object.create(null);
      let count = 0;
      for (const [family, { type, help, unit }] of deps.metadata.entries()) {
        if (metric !== undefined && metric !== '' && family !== metric) continue;
        if (isSeen?.(family) === false) continue;
        if (limit >= 0 && count >= limit) break;
        data[family] = [{ type, help, unit }];
        count++;
      }
      return { status: 'success', data };
    },
  );
  const pattern = z.object({ metric_name_pattern: z.string().default('') });
  http.get(
    '/api/v1/status/self_metrics',
    { config, schema: { summary: 'Own figures as JSON', tags: ['prometheus'], querystring: pattern } },
    (request) => {
      const { metric_name_pattern: text } = request.query;
      const regex = compileRegex(text);
      if (!regex.ok) throw new AppError('bad_input', 'bad_pattern', `invalid metric_name_pattern: ${regex.error}`);
      return { status: 'success', data: selfFamilies(deps.self.collect(), (name) => text === '' || regex.value.matchesWhole(name)) };
    },
  );
}
