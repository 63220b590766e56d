import type { Clock } from '@nines/base/clock.ts';
import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { Exports } from '../platform/http/export.ts';
import { csvText } from '@nines/base/csv.ts';
import { instant } from '../platform/http/fields.ts';
import { AUDIT_PHASES, type AuditEntryView, auditEntryView, auditVerdict } from './contract.ts';
import type { AuditLog } from './service.ts';
import type { AuditFilter } from './store.ts';

const MAX_PAGE = 500;
const DEFAULT_PAGE = 100;
/** Exports that run at a time. */
const MAX_EXPORTS = 2;
/** Lines that are handed on at a time. */
const PIECE_LINES = 500;

const filterQuery = z.object({
  /** An id of a user or token. */
  actor: z.string().optional(),
  action: z.string().optional(),
  object_kind: z.string().optional(),
  object_id: z.string().optional(),
  phase: z.enum(AUDIT_PHASES).optional(),
  from: instant.optional(),
  /** Exclusive. */
  to: instant.optional(),
});

const filterOf = (query: z.output<typeof filterQuery>): AuditFilter => ({
  actorId: query.actor,
  action: query.action,
  objectKind: query.object_kind,
  objectId: query.object_id,
  phase: query.phase,
  fromMs: query.from,
  toMs: query.to,
});

type Deps = { readonly audit: AuditLog; readonly clock: Pick<Clock, 'after'> };

/** The audit log: read, exported, examined. Nothing here changes it. */
export function auditRoutes(http: Http, { audit, clock }: Deps): void {
  const exports = new Exports(clock, MAX_EXPORTS);
  const config = { permission: 'administer', audit: 'read' } as const;
  const tags = ['audit'];
  http.get(
    '/api/audit',
    {
      config,
      schema: {
        summary: 'Who did what, newest first',
        tags,
        querystring: filterQuery.extend({
          /** `next` of the page before. */
          cursor: z.coerce.number().int().positive().optional(),
          limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE),
        }),
        response: { 200: z.object({ items: z.array(auditEntryView), next: z.string().nullable() }) },
      },
    },
    async (request) => {
      const { cursor, limit, ...query } = request.query;
      const found = await audit.list(filterOf(query), { beforeSeq: cursor, limit: limit + 1 });
      const items = found.slice(0, limit);
      const last = items.at(-1);
      return { items: [...items], next: found.length > limit && last !== undefined ? String(last.seq) : null };
    },
  );
  http.get(
    '/api/audit/export',
    {
      config,
      schema: {
        summary: 'The audit log as JSON lines or CSV, oldest first',
        tags,
        querystring: filterQuery.extend({ format: z.enum(['json', 'csv']).default('json') }),
      },
    },
    async (request, reply) => {
      const { format, ...query } = request.query;
      const type = format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson; charset=utf-8';
      const told = { rows: 0 };
      request.told = told;
      return exports.send(reply, type, (signal) => linesOf(audit.all(filterOf(query)), { format, signal, told }));
    },
  );
  http.get(
    '/api/audit/actors',
    {
      config,
      schema: { summary: 'Everybody who is in the log', tags, response: { 200: z.object({ items: z.array(auditEntryView.shape.actor) }) } },
    },
    async () => ({ items: [...(await audit.actors())] }),
  );
  http.get(
    '/api/audit/verify',
    { config, schema: { summary: 'Examines the whole audit log and names the first broken entry', tags, response: { 200: auditVerdict } } },
    () => audit.verify(),
  );
}

const CSV_COLUMNS = [
  'seq',
  'at',
  'actor_kind',
  'actor_id',
  'actor',
  'role',
  'address',
  'action',
  'object',
  'phase',
  'status',
  'asked',
  'before',
  'after',
];

function csvLine(one: AuditEntryView): string {
  const { actor, object } = one;
  const json = (value: unknown): string => (value === null ? '' : JSON.stringify(value));
  const about = [object.kind, object.id].filter((part) => part !== null).join('/');
  const cells = [String(one.seq), new Date(one.at_ms).toISOString(), actor.kind, actor.id, actor.name, actor.role, one.address ?? ''];
  const rest = [one.action, about, one.phase, String(one.status ?? ''), json(one.asked), json(one.before), json(one.after)];
  return csvText([[...cells, ...rest]]);
}

type Lines = { readonly format: 'json' | 'csv'; readonly signal: AbortSignal; readonly told: { rows: number } };

async function* linesOf(entries: AsyncIterable<AuditEntryView>, { format, signal, told }: Lines): AsyncGenerator<string> {
  let lines: string[] = format === 'csv' ? [`${CSV_COLUMNS.join(',')}\r\n`] : [];
  for await (const entry of entries) {
    told.rows++;
    lines.push(format === 'csv' ? csvLine(entry) : `${JSON.stringify(entry)}\n`);
    if (lines.length < PIECE_LINES) continue;
    signal.throwIfAborted();
    yield lines.join('');
    lines = [];
  }
  yield lines.join('');
}
