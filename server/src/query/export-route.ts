import { Readable } from 'node:stream';
import { AppError } from '@nines/base/errors.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import { CONTENT_TYPES } from '@nines/model/exposition-print.ts';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { instant } from '../platform/http/fields.ts';
import type { QueryDeps } from './contract.ts';
import { EXPORT_FORMATS, type ExportAsk, type ExportFormat, exportText } from './export-formats.ts';
import { Gate } from './gate.ts';
import { parseSelectors } from './service.ts';

/** Exports that run at a time; further ones are told to come back. */
const MAX_EXPORTS = 4;
/** A reader that takes longer loses its place. */
const MAX_EXPORT_MS = 60 * MINUTE_MS;

const selector = z.union([z.string(), z.array(z.string()).max(100)]).optional();
const exportQuery = z.object({
  format: z.enum(EXPORT_FORMATS).default('json'),
  /** PromQL selectors; every series when absent. */
  'match[]': selector,
  match: selector,
  from: instant.optional(),
  to: instant.optional(),
});

const TYPES: Readonly<Record<ExportFormat, string>> = {
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
  prometheus: CONTENT_TYPES.text,
  openmetrics: CONTENT_TYPES.openmetrics,
};

/** `GET /api/export`: stored samples as JSON, CSV, Prometheus text or OpenMetrics. */
export function exportRoute(http: Http, deps: QueryDeps): void {
  const gate = new Gate(MAX_EXPORTS, 0);
  const schema = { summary: 'Stored samples as JSON, CSV, Prometheus text or OpenMetrics', tags: ['query'], querystring: exportQuery };
  http.get('/api/export', { config: { permission: 'read' }, schema }, async (request, reply) => {
    const { format } = request.query;
    const ask = askOf(deps, request.query);
    const controller = new AbortController();
    const place = await gate.enter(controller.signal);
    if (place === undefined)
      throw new AppError('unavailable', 'too_many_exports', `${MAX_EXPORTS} exports are running; try again later`, {
        retryAfterMs: 10_000,
      });
    const timer = deps.clock.after(MAX_EXPORT_MS, () => controller.abort(new Error('the export takes too long')));
    // A response that is over, or whose client is gone, closes.
    reply.raw.once('close', () => {
      timer[Symbol.dispose]();
      place[Symbol.dispose]();
      controller.abort(new Error('the client is gone'));
    });
    const reading = { scope: deps.scopeOf(request.actor), signal: controller.signal, yieldNow: deps.yieldNow };
    const text = Readable.from(exportText(deps, ask, format, reading), { objectMode: false });
    return (reply as unknown as FastifyReply).type(TYPES[format]).send(text);
  });
}

/** Without a time only the newest samples are meant. */
function askOf(deps: QueryDeps, query: z.output<typeof exportQuery>): ExportAsk {
  const texts = [query['match[]'] ?? [], query.match ?? []].flat();
  const selectors = texts.length === 0 ? { ok: true as const, value: [[]] } : parseSelectors(texts);
  if (!selectors.ok) throw new AppError('bad_input', 'bad_selector', selectors.error, { field: 'match[]' });
  const nowMs = deps.clock.now();
  const { from, to } = query;
  const toMs = to ?? nowMs;
  if (from === undefined) return { selectors: selectors.value, newest: true, span: { fromMs: toMs - deps.lookbackMs, toMs } };
  if (toMs < from) throw new AppError('bad_input', 'bad_range', '"to" must not be before "from"', { field: 'to' });
  return { selectors: selectors.value, newest: false, span: { fromMs: from, toMs } };
}
