import { AppError } from '@nines/base/errors.ts';
import { parseInstant } from '@nines/base/instant.ts';
import type { Counted } from '@nines/tsdb/contract.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { cardinalityView, deletionView } from './contract.ts';
import { type Deletion, type Selector, type SeriesService, type Span, parseSelector } from './service.ts';

/** Metrics one answer lists. */
const METRICS = { most: 1_000, default: 20 };
/** Entries of each list of `status/tsdb`. Source: prometheus web/api/v1/api.go, serveTSDBStatus. */
const STATUS_ENTRIES = { most: 10_000, default: 10 };
/** Form bodies hold a few selectors. */
const MAX_FORM_BYTES = 1024 * 1024;
/** Selectors of one deletion; each is a pass over the pages it touches. */
const MAX_SELECTORS = 64;

const cardinalityQuery = z.object({
  match: z.string().optional().meta({ description: 'a selector such as {job="node"}: only its series are counted by metric' }),
  limit: z.coerce.number().int().min(1).max(METRICS.most).default(METRICS.default),
});
const flag = z.enum(['true', 'false']).default('false');
const deleteQuery = z.object({
  match: z.union([z.string(), z.array(z.string()).max(MAX_SELECTORS)]),
  from: z.string().optional().meta({ description: 'first instant, RFC 3339 or Unix seconds; from the beginning without it' }),
  to: z.string().optional().meta({ description: 'last instant, included; to the end without it' }),
  dry_run: flag,
  all: flag.meta({ description: 'true allows a selector that selects every series' }),
});

/** `/api/cardinality`, `DELETE /api/series`, and Prometheus' `status/tsdb` and `admin/tsdb`. */
export function seriesRoutes(http: Http, { series }: { readonly series: SeriesService }): void {
  http.get(
    '/api/cardinality',
    {
      config: { permission: 'read' },
      schema: {
        summary: 'Limits of series with their use, and the largest metrics',
        tags: ['series'],
        querystring: cardinalityQuery,
        response: { 200: cardinalityView },
      },
    },
    async (request) => {
      const { match, limit } = request.query;
      return series.cardinality(match === undefined ? [] : selectorOf(match, 'match').matchers, limit);
    },
  );
  http.delete(
    '/api/series',
    {
      config: { permission: 'administer', stepUp: true },
      schema: {
        summary: 'Delete samples by selector and range',
        tags: ['series'],
        querystring: deleteQuery,
        response: { 200: deletionView },
      },
    },
    async (request) => {
      const { match, from, to, dry_run: dryRun, all } = request.query;
      const selectors = [match].flat().map((text) => selectorOf(text, 'match'));
      const deletion = { selectors, span: spanOf({ from, to }), all: all === 'true' };
      return dryRun === 'true' ? series.count(deletion) : series.remove(deletion, request.actor);
    },
  );
  prometheusRoutes(http, series);
}

function prometheusRoutes(http: Http, series: SeriesService): void {
  const status = { summary: 'Counts of series, labels and values', tags: ['series'] };
  http.get('/api/v1/status/tsdb', { config: { permission: 'read', errors: 'prometheus' }, schema: status }, async (request) => {
    const text = formOf(request).get('limit') ?? String(STATUS_ENTRIES.default);
    const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (limit < 1) throw new AppError('bad_input', 'bad_limit', 'limit must be a positive number');
    if (limit > STATUS_ENTRIES.most) throw new AppError('bad_input', 'bad_limit', `limit must not exceed ${STATUS_ENTRIES.most}`);
    return { status: 'success', data: statusOf(await series.census(limit)) };
  });
  http.register(async (scope) => {
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: MAX_FORM_BYTES },
      (_request, body, done) => done(null, body),
    );
    const admin = (path: string, summary: string, work: (form: URLSearchParams, request: FastifyRequest) => Promise<unknown>): void => {
      scope.route({
        method: ['POST', 'PUT'],
        url: `/api/v1/admin/tsdb/${path}`,
        config: { permission: 'administer', stepUp: true, errors: 'prometheus', adminApi: true },
        schema: { summary, tags: ['series'] },
        handler: async (request, reply) => {
          await work(formOf(request as unknown as FastifyRequest), request as unknown as FastifyRequest);
          return (reply as unknown as FastifyReply).code(204).send();
        },
      });
    };
    admin('delete_series', 'Delete samples by selector and range', (form, request) => series.remove(deletionOf(form), request.actor));
    admin('clean_tombstones', 'Give back what deletions left behind', () => series.tidy());
  });
}

/** Body parameters come first, as Go's `Request.Form` has them. */
function formOf(request: FastifyRequest): URLSearchParams {
  const mark = request.url.indexOf('?');
  const body = typeof request.body === 'string' ? request.body : '';
  const form = new URLSearchParams(body);
  for (const [name, value] of new URLSearchParams(mark < 0 ? '' : request.url.slice(mark + 1))) form.append(name, value);
  return form;
}

function deletionOf(form: URLSearchParams): Deletion {
  const texts = form.getAll('match[]');
  if (texts.length === 0) throw new AppError('bad_input', 'no_selector', 'no match[] parameter provided');
  if (texts.length > MAX_SELECTORS)
    throw new AppError('bad_input', 'too_many_selectors', `${texts.length} match[] parameters, the limit is ${MAX_SELECTORS}`);
  const span = spanOf({ from: form.get('start') ?? undefined, to: form.get('end') ?? undefined }, { from: 'start', to: 'end' });
  return { selectors: texts.map((text) => selectorOf(text, 'match[]')), span, all: form.get('all') === 'true' };
}

function selectorOf(text: string, field: string): Selector {
  const parsed = parseSelector(text);
  if (parsed.ok) return parsed.value;
  throw new AppError('bad_input', 'bad_selector', `invalid parameter "${field}": ${parsed.error}`, { field });
}

type Ends = { readonly from: string | undefined; readonly to: string | undefined };

function spanOf(ends: Ends, names: { readonly from: string; readonly to: string } = { from: 'from', to: 'to' }): Span {
  const instant = (text: string | undefined, name: string): number | undefined => {
    if (text === undefined || text === '') return undefined;
    const parsed = parseInstant(text);
    if (parsed.ok) return parsed.value;
    throw new AppError('bad_input', 'bad_instant', `invalid parameter "${name}": ${parsed.error}`, { field: name });
  };
  const span = { fromMs: instant(ends.from, names.from), toMs: instant(ends.to, names.to) };
  if (span.fromMs !== undefined && span.toMs !== undefined && span.toMs < span.fromMs) {
    const message = `invalid parameter "${names.to}": end timestamp must not be before start time`;
    throw new AppError('bad_input', 'bad_range', message, { field: names.to });
  }
  return span;
}

const listOf = (counted: readonly Counted[]) => counted.map(({ name, count }) => ({ name, value: count }));

/** In Prometheus' shape; of a store without samples the ends are those that it answers. */
const statusOf = (census: Awaited<ReturnType<SeriesService['census']>>) => ({
  headStats: {
    numSeries: census.series,
    numLabelPairs: census.labelPairs,
    chunkCount: census.chunks,
    minTime: Number.isFinite(census.oldestMs) ? census.oldestMs : NO_MIN_TIME,
    maxTime: Number.isFinite(census.newestMs) ? census.newestMs : NO_MAX_TIME,
  },
  seriesCountByMetricName: listOf(census.seriesByMetric),
  labelValueCountByLabelName: listOf(census.valuesByLabel),
  memoryInBytesByLabelName: listOf(census.bytesByLabel),
  seriesCountByLabelValuePair: listOf(census.seriesByPair),
});

/** The ends of int64, as far as a double goes. */
const NO_MIN_TIME = 2 ** 63;
const NO_MAX_TIME = -(2 ** 63);
