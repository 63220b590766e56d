import { Readable } from 'node:stream';
import type { Clock } from '@nines/base/clock.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { formatExpr } from '@nines/promql/print.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Http, Scoped } from '../platform/http/contract.ts';
import { prometheusError } from '../platform/http/problem.ts';
import type { QueryDeps } from './contract.ts';
import { encodeAnswer, encodeLabels, encodeList, envelope } from './encode.ts';
import { exemplarParams, encodeExemplars } from './exemplars.ts';
import { explainRoute } from './explain-route.ts';
import { MAX_LINE_SAMPLES, exportLines } from './export.ts';
import { exportRoute } from './export-route.ts';
import { type Params, instantParams, limitParam, metaRange, paramsOf, rangeParams, unescapeLabelName } from './params.ts';
import { viewOfExpr } from './parse-view.ts';
import { peerRoutes } from './prometheus-peers.ts';
import { type Answer, type Asking, type QueryError, QueryService, parseSelectors } from './service.ts';

/** The version of Prometheus whose API this is; clients switch features by it. */
const PROMETHEUS_VERSION = '3.14.0';
/** Form bodies hold one query. */
const MAX_FORM_BYTES = 1024 * 1024;

type How = { readonly methods?: ('GET' | 'POST')[]; readonly scoped?: Scoped; readonly audit?: 'read' };
const GET: How = { methods: ['GET'] };
const STATELESS: Scoped = { free: 'only what was sent is looked at' };
type Handler = (params: Params, call: Call) => Promise<FastifyReply>;
type Call = {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly asking: Asking;
  readonly yieldNow: QueryDeps['yieldNow'];
};

/** `/api/v1/query`, `query_range`, `query_exemplars`, `export`, `series`, `labels`, `label/{name}/values`, `format_query`, `status/buildinfo`. */
export function queryRoutes(http: Http, deps: QueryDeps): void {
  const service = new QueryService(deps);
  peerRoutes(http, service, deps);
  exportRoute(http, deps);
  explainRoute(http, service, deps);
  http.register(async (scope) => {
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: MAX_FORM_BYTES },
      (_request, body, done) => done(null, body),
    );
    const route = (
      url: string,
      summary: string,
      handler: Handler,
      { methods = ['GET', 'POST'], scoped = 'handler', audit }: How = {},
    ): void => {
      scope.route({
        method: methods,
        url,
        config: { permission: 'read', errors: 'prometheus', scoped, ...(audit !== undefined && { audit }) },
        schema: { summary, tags: ['query'] },
        handler: (request, reply) => answer(deps, { request, reply: reply as unknown as FastifyReply }, handler),
      });
    };
    route('/api/v1/query', 'Evaluates PromQL at one instant', (params, call) => instant(service, deps.clock, params, call));
    route('/api/v1/query_range', 'Evaluates PromQL over a range', (params, call) => range(service, params, call));
    route('/api/v1/series', 'Lists series', (params, call) => series(service, params, call));
    route('/api/v1/labels', 'Lists names of labels', (params, call) => labels(service, params, call));
    route('/api/v1/label/:name/values', 'Lists values of a label', (params, call) => labelValues(service, params, call), GET);
    const exported = "Every sample of the selected series, as VictoriaMetrics' lines of JSON";
    route('/api/v1/export', exported, (params, call) => exportSamples(deps, params, call), { audit: 'read' });
    route('/api/v1/query_exemplars', 'Exemplars of the series that a query selects', (params, call) => exemplars(deps, params, call));
    route('/api/v1/format_query', 'Formats PromQL', formatQuery, { scoped: STATELESS });
    route('/api/v1/parse_query', 'The syntax tree of PromQL', parseQuery, { scoped: STATELESS });
    route('/api/v1/status/buildinfo', 'Says which API this is', (_params, call) => buildInfo(deps.version, call), {
      ...GET,
      scoped: { free: 'which API this is' },
    });
  });
}

async function answer(
  deps: QueryDeps,
  call: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  handler: Handler,
): Promise<FastifyReply> {
  const { request, reply } = call;
  const controller = new AbortController();
  const closed = (): void => {
    if (!reply.raw.writableFinished) controller.abort(new Error('the client is gone'));
  };
  reply.raw.once('close', closed);
  const mark = request.url.indexOf('?');
  const body = typeof request.body === 'string' ? request.body : '';
  const params = paramsOf(mark < 0 ? '' : request.url.slice(mark + 1), body);
  const asking: Asking = { scope: request.actor.scope, signal: controller.signal };
  return handler(params, { ...call, asking, yieldNow: deps.yieldNow });
}

async function instant(service: QueryService, clock: Clock, params: Params, call: Call): Promise<FastifyReply> {
  const parsed = instantParams(params, clock.now());
  if (!parsed.ok) return prometheusError(call.reply, 'bad_data', parsed.error);
  return sendAnswer(call, ofParameter(await service.instant(parsed.value, call.asking)), parsed.value.limit);
}

/** What cannot be parsed is said as Prometheus says it. */
const ofParameter = <T>(found: Result<T, QueryError>): Result<T, QueryError> =>
  found.ok || found.error.type !== 'bad_data'
    ? found
    : err({ ...found.error, message: `invalid parameter "query": ${found.error.message}` });

async function range(service: QueryService, params: Params, call: Call): Promise<FastifyReply> {
  const parsed = rangeParams(params);
  if (!parsed.ok) return prometheusError(call.reply, 'bad_data', parsed.error);
  return sendAnswer(call, ofParameter(await service.range(parsed.value, call.asking)), parsed.value.limit);
}

async function series(service: QueryService, params: Params, call: Call): Promise<FastifyReply> {
  const meta = metaParams(params);
  if (!meta.ok) return prometheusError(call.reply, 'bad_data', meta.error);
  if (meta.value.selectors.length === 0) return prometheusError(call.reply, 'bad_data', 'no match[] parameter provided');
  const found = await service.series(meta.value.selectors, meta.value.span, call.asking);
  if (!found.ok) return refuse(call, found.error);
  return sendText(call.reply, encodeList(found.value, encodeLabels, meta.value.limit));
}

async function labels(service: QueryService, params: Params, call: Call): Promise<FastifyReply> {
  const meta = metaParams(params);
  if (!meta.ok) return prometheusError(call.reply, 'bad_data', meta.error);
  return sendList(call, await service.labels(meta.value, call.asking), meta.value.limit);
}

async function labelValues(service: QueryService, params: Params, call: Call): Promise<FastifyReply> {
  const meta = metaParams(params);
  if (!meta.ok) return prometheusError(call.reply, 'bad_data', meta.error);
  const name = unescapeLabelName((call.request.params as { readonly name: string }).name);
  return sendList(call, await service.labels({ ...meta.value, name }, call.asking), meta.value.limit);
}

async function exportSamples(deps: QueryDeps, params: Params, call: Call): Promise<FastifyReply> {
  const meta = metaParams(params);
  if (!meta.ok) return prometheusError(call.reply, 'bad_data', meta.error);
  const { selectors, span } = meta.value;
  if (selectors.length === 0) return prometheusError(call.reply, 'bad_data', 'no match[] parameter provided');
  const rows = params.get('max_rows_per_line') ?? String(MAX_LINE_SAMPLES);
  if (!/^[1-9]\d{0,8}$/.test(rows)) return prometheusError(call.reply, 'bad_data', `invalid parameter "max_rows_per_line": "${rows}"`);
  const lineSamples = Math.min(Number(rows), MAX_LINE_SAMPLES);
  const lines = exportLines(
    { queryable: deps.queryable, yieldNow: () => deps.clock.sleep(0) },
    { selectors, span, lineSamples },
    call.asking,
  );
  return call.reply.type('application/stream+json; charset=utf-8').send(Readable.from(lines, { objectMode: false }));
}

async function exemplars(deps: QueryDeps, params: Params, call: Call): Promise<FastifyReply> {
  const asked = exemplarParams(params);
  if (!asked.ok) return prometheusError(call.reply, 'bad_data', asked.error);
  const { selectors, span } = asked.value;
  if (selectors.length === 0) return call.reply.code(204).send();
  const seen = selectors.map((matchers) => [...matchers, ...call.asking.scope.matchers]);
  return sendText(call.reply, encodeExemplars(deps.exemplars.select(seen, span)));
}

async function formatQuery(params: Params, call: Call): Promise<FastifyReply> {
  const parsed = parseExpr(params.get('query') ?? '');
  if (!parsed.ok) return prometheusError(call.reply, 'bad_data', `invalid parameter "query": ${parsed.error.message}`);
  return sendText(call.reply, envelope(formatExpr(parsed.value)));
}

async function parseQuery(params: Params, call: Call): Promise<FastifyReply> {
  const parsed = parseExpr(params.get('query') ?? '');
  if (!parsed.ok) return prometheusError(call.reply, 'bad_data', `invalid parameter "query": ${parsed.error.message}`);
  return sendText(call.reply, envelope(viewOfExpr(parsed.value)));
}

async function buildInfo(version: string, call: Call): Promise<FastifyReply> {
  const data = { version: PROMETHEUS_VERSION, revision: `nines-${version}`, branch: '', buildUser: '', buildDate: '', goVersion: '' };
  return sendText(call.reply, envelope(data));
}

type Meta = {
  readonly selectors: Parameters<QueryService['series']>[0];
  readonly span: { readonly fromMs: number; readonly toMs: number };
  readonly limit: number;
};

function metaParams(params: Params): Result<Meta, string> {
  const limit = limitParam(params);
  if (!limit.ok) return limit;
  const span = metaRange(params);
  if (!span.ok) return span;
  const selectors = parseSelectors(params.all('match[]'));
  if (!selectors.ok) return selectors;
  return ok({ selectors: selectors.value, span: span.value, limit: limit.value });
}

function sendList(call: Call, found: Result<readonly string[], QueryError>, limit: number): FastifyReply {
  if (!found.ok) return refuse(call, found.error);
  return sendText(
    call.reply,
    encodeList(found.value, (text) => JSON.stringify(text), limit),
  );
}

function sendAnswer(call: Call, found: Result<Answer, QueryError>, limit: number): FastifyReply {
  if (!found.ok) return refuse(call, found.error);
  const pieces = encodeAnswer(found.value.value, { limit, remarks: found.value.remarks, stats: found.value.stats });
  const first = pieces.next();
  const second = first.done === true ? first : pieces.next();
  call.reply.type('application/json; charset=utf-8');
  if (second.done === true) return call.reply.send(first.value);
  const { yieldNow } = call;
  const paced = (async function* () {
    if (first.value !== undefined) yield first.value;
    yield second.value;
    for (const piece of pieces) {
      const turn = yieldNow();
      if (turn !== undefined) await turn;
      yield piece;
    }
  })();
  return call.reply.send(Readable.from(paced, { objectMode: false }));
}

const sendText = (reply: FastifyReply, text: string): FastifyReply =>
  reply
    .type('application/json; charset=utf-8')
    .serializer((value: unknown) => String(value))
    .send(text);

const refuse = (call: Call, error: QueryError): FastifyReply => prometheusError(call.reply, error.type, error.message);
