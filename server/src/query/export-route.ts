import { AppError } from '@nines/base/errors.ts';
import { CONTENT_TYPES } from '@nines/model/exposition-print.ts';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { Exports } from '../platform/http/export.ts';
import { instant } from '../platform/http/fields.ts';
import type { QueryDeps } from './contract.ts';
import { EXPORT_FORMATS, type ExportAsk, type ExportFormat, exportText } from './export-formats.ts';
import { parseSelectors } from './service.ts';

/** Exports that run at a time; further ones are told to come back. */
const MAX_EXPORTS = 4;

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
  const exports = new Exports(deps.clock, MAX_EXPORTS);
  const schema = { summary: 'Stored samples as JSON, CSV, Prometheus text or OpenMetrics', tags: ['query'], querystring: exportQuery };
  http.get('/api/export', { config: { permission: 'read', scoped: 'handler', audit: 'read' }, schema }, async (request, reply) => {
    const { format } = request.query;
    const ask = askOf(deps, request.query);
    const scope = request.actor.scope;
    return exports.send(reply as unknown as FastifyReply, TYPES[format], (signal) =>
      exportText(deps, ask, format, { scope, signal, yieldNow: deps.yieldNow }),
    );
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
