import type { Clock } from '@nines/base/clock.ts';
import { isFull } from '@nines/model/scope.ts';
import { z } from 'zod';
import { redactContacts } from '../platform/config/redact.ts';
import type { Actor, Http } from '../platform/http/contract.ts';
import { HEALTH_STATUSES, type Health } from './contract.ts';

const PLAIN = 'text/plain; charset=utf-8';

const healthView = z.object({
  status: z.enum(HEALTH_STATUSES),
  components: z.array(z.object({ name: z.string(), status: z.enum(HEALTH_STATUSES), detail: z.string() })),
});
const statusView = z.object({
  status: z.enum(HEALTH_STATUSES),
  ready: z.boolean(),
  version: z.string(),
  started_at_ms: z.number(),
  uptime_ms: z.number(),
  counts: z.record(z.string(), z.record(z.string(), z.number())),
});

export type OpsDeps = {
  readonly clock: Clock;
  readonly health: Health;
  readonly version: string;
  readonly startedAtMs: number;
  /** True once everything is open and until the server begins to drain. */
  readonly isReady: () => boolean;
  /** The configuration in force. */
  readonly config: () => unknown;
  /** Reads the configuration again. Throws `AppError` with every problem; the old configuration then stays. */
  readonly reload: (by: Actor) => Promise<{ readonly warnings: readonly string[] }>;
  /** How many services, SLAs and alerts that somebody sees are in which state, for the status in brief. */
  readonly counts: (
    sees: (labels: Readonly<Record<string, string>>) => boolean,
  ) => Promise<Readonly<Record<string, Readonly<Record<string, number>>>>>;
};

/** `/-/healthy`, `/-/ready`, `/-/reload`, `/api/status`, `/api/health` (also as `/api/system/health`), `/api/config`. */
export function opsRoutes(http: Http, deps: OpsDeps): void {
  const { clock, health } = deps;
  const open = { config: { permission: 'public' as const, undocumented: true } };
  http.get('/-/healthy', open, async (_request, reply) => reply.type(PLAIN).send('Nines is healthy.\n'));
  http.get('/-/ready', open, async (_request, reply) =>
    deps.isReady() ? reply.type(PLAIN).send('Nines is ready.\n') : reply.code(503).type(PLAIN).send('Nines is not ready.\n'),
  );
  http.post(
    '/-/reload',
    { config: { permission: 'administer', adminApi: true }, schema: { summary: 'Reads the configuration again' } },
    async (request, reply) => {
      const { warnings } = await deps.reload(request.actor);
      return reply.type(PLAIN).send(`${['The configuration was read again.', ...warnings].join('\n')}\n`);
    },
  );
  const read = { permission: 'read' as const };
  http.get(
    '/api/status',
    { config: { ...read, scoped: 'handler' }, schema: { summary: 'The system in brief', response: { 200: statusView } } },
    async (request) => ({
      status: (await health.report()).status,
      ready: deps.isReady(),
      version: deps.version,
      started_at_ms: deps.startedAtMs,
      uptime_ms: clock.now() - deps.startedAtMs,
      counts: await deps.counts((labels) => request.sees(labels)),
    }),
  );
  for (const path of ['/api/health', '/api/system/health']) {
    const schema = { summary: 'Health of every part', response: { 200: healthView } };
    http.get(path, { config: { ...read, scoped: 'handler' }, schema }, async (request) => {
      const { status, components } = await health.report();
      // Details name jobs, files and addresses of everybody: whoever has a scope learns which part it is.
      const isTold = isFull(request.actor.scope);
      return { status, components: components.map((one) => (isTold ? { ...one } : { ...one, detail: '' })) };
    });
  }
  http.get(
    '/api/config',
    { config: { ...read, audit: 'read' }, schema: { summary: 'The configuration in force, secrets redacted' } },
    async () => redactContacts(deps.config()),
  );
}
