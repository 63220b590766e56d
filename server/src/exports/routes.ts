import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import type { Queryable } from '@nines/model/storage.ts';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Actor, Http, ScopedThings } from '../platform/http/contract.ts';
import { Exports } from '../platform/http/export.ts';
import { instant } from '../platform/http/fields.ts';
import type { ServiceCatalogue } from '../services/contract.ts';
import { type AlertSource, alertTable } from './alerts.ts';
import { type IntervalSource, intervalTable } from './intervals.ts';
import { resultTable } from './results.ts';
import { ROW_FORMATS, ROW_TYPES, type RowFormat, type Table, rowsText } from './rows.ts';
import { type ViolationSource, violationTable } from './violations.ts';

/** Exports that run at a time. */
const MAX_EXPORTS = 4;

const some = z
  .union([z.string(), z.array(z.string()).max(1_000)])
  .default([])
  .transform((found) => [found].flat());
const range = z.object({
  format: z.enum(ROW_FORMATS).default('csv'),
  from: instant,
  /** Exclusive; now when absent. */
  to: instant.optional(),
});

export type ExportDeps = {
  readonly clock: Clock;
  readonly yieldNow: () => Promise<void> | undefined;
  readonly ledger: IntervalSource;
  readonly services: Pick<ServiceCatalogue, 'get' | 'list'>;
  readonly queryable: Queryable;
  readonly violations: ViolationSource;
  /** As somebody sees them. */
  readonly alertsFor: (asking: Asking) => AlertSource;
};
type Asking = { readonly actor: Actor; sees(labels: Readonly<Record<string, string>>): boolean };

const VIOLATIONS: ScopedThings = { names: { query: { sla: 'sla' } }, needs: ['sla'] };

/** What a report is made of as tables of any length, CSV or JSON lines: intervals of the ledger, results of checks, violations, alerts. */
export function exportRoutes(http: Http, deps: ExportDeps): void {
  const exports = new Exports(deps.clock, MAX_EXPORTS);
  const config = { permission: 'read', audit: 'read', scoped: 'handler' } as const;
  const send = (reply: unknown, format: RowFormat, tableOf: (signal: AbortSignal) => Table) =>
    exports.send(reply as FastifyReply, ROW_TYPES[format], (signal) =>
      rowsText(tableOf(signal), format, { signal, yieldNow: deps.yieldNow }),
    );
  const schema = (summary: string) => ({ summary: `${summary}, as CSV or JSON lines`, tags: ['export'] });
  http.get(
    '/api/exports/intervals',
    { config, schema: { ...schema('The intervals of the ledger, by service and time'), querystring: range.extend({ service: some }) } },
    async (request, reply) => {
      const { format, service, ...asked } = request.query;
      for (const id of service)
        if (deps.services.get(id) === undefined || !request.sees({ service: id }))
          throw new AppError('not_found', 'service_not_found', `there is no service "${id}"`, { field: 'service' });
      const services = service.length > 0 ? service : deps.services.list().flatMap(({ id }) => (request.sees({ service: id }) ? [id] : []));
      const span = spanOf(deps, asked);
      return send(reply, format, () => intervalTable(deps.ledger, services, span));
    },
  );
  http.get(
    '/api/exports/check-results',
    {
      config,
      schema: { ...schema('The results of checks, by check and time'), querystring: range.extend({ service: some, check: some }) },
    },
    async (request, reply) => {
      const { format, service, check, ...asked } = request.query;
      const filter = { services: service, checks: check, span: spanOf(deps, asked) };
      const scope = request.actor.scope;
      return send(reply, format, (signal) => resultTable(deps.queryable, filter, { scope, signal, yieldNow: deps.yieldNow }));
    },
  );
  http.get(
    '/api/exports/violations',
    {
      config: { ...config, scoped: VIOLATIONS },
      schema: { ...schema('Violations of SLAs, by SLA and time'), querystring: range.extend({ sla: some }) },
    },
    async (request, reply) => {
      const { format, sla, ...asked } = request.query;
      const span = spanOf(deps, asked);
      return send(reply, format, () => violationTable(deps.violations, sla, span));
    },
  );
  http.get(
    '/api/exports/alerts',
    { config, schema: { ...schema('Alerts that were open within a span, newest first'), querystring: range } },
    async (request, reply) => {
      const { format, ...asked } = request.query;
      const span = spanOf(deps, asked);
      const source = deps.alertsFor(request);
      return send(reply, format, () => alertTable(source, span));
    },
  );
}

function spanOf({ clock }: ExportDeps, { from, to }: { readonly from: Span['fromMs']; readonly to?: Span['toMs'] | undefined }): Span {
  const toMs = to ?? clock.now();
  if (toMs <= from) throw new AppError('bad_input', 'bad_range', '"to" must be after "from"', { field: 'to' });
  return { fromMs: from, toMs };
}
