import { stringify } from 'yaml';
import { z } from 'zod';
import { redact } from '../platform/config/redact.ts';
import { MAX_CONFIG_BYTES } from '../platform/config/source.ts';
import type { Http } from '../platform/http/contract.ts';
import { configurationChange, configurationView } from './contract.ts';
import type { Good, Reloading } from './reload.ts';
import type { Configurations } from './service.ts';

const MAX_PAGE = 200;
const TAGS = ['configuration'];
const ADMINISTER = { permission: 'administer', stepUp: true } as const;
const READ = { permission: 'administer', audit: 'read' } as const;
const YAML = 'application/yaml; charset=utf-8';
const byVersion = z.object({ version: z.coerce.number().int().positive() });
const changes = z.object({ changes: z.array(configurationChange) });
const reloaded = z.object({ version: z.int(), warnings: z.array(z.string()), pending: z.array(z.string()) });

export type ConfigurationRouteDeps<C extends Good> = {
  readonly configurations: Configurations;
  readonly reloading: Reloading<C>;
  /** The configuration in force. */
  readonly config: () => unknown;
};

/** Configurations that were applied: listed, shown, compared, put back. */
export function configurationRoutes<C extends Good>(http: Http, { configurations, reloading, config }: ConfigurationRouteDeps<C>): void {
  http.get(
    '/api/config/yaml',
    { config: READ, schema: { summary: 'The configuration in force with its defaults, as YAML, secrets redacted', tags: TAGS } },
    async (_request, reply) => reply.type(YAML).send(stringify(redact(config()))),
  );
  http.get(
    '/api/config/history',
    {
      config: READ,
      schema: {
        summary: 'Every configuration that was applied, newest first',
        tags: TAGS,
        querystring: z.object({
          cursor: z.coerce.number().int().positive().optional(),
          limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(50),
        }),
        response: { 200: z.object({ items: z.array(configurationView), next: z.string().nullable() }) },
      },
    },
    async ({ query: { cursor, limit } }) => {
      const found = await configurations.list({ before: cursor, limit: limit + 1 });
      const items = found.slice(0, limit);
      return { items: [...items], next: found.length > limit ? String(items.at(-1)?.version) : null };
    },
  );
  http.get(
    '/api/config/history/:version',
    {
      config: READ,
      schema: {
        summary: 'One version as it was written, secrets redacted',
        tags: TAGS,
        params: byVersion,
        response: { 200: configurationView.extend({ yaml: z.string(), files: z.record(z.string(), z.string()) }) },
      },
    },
    async ({ params: { version } }) => {
      const { written, ...view } = await configurations.get(version);
      return { ...view, yaml: stringify(written) };
    },
  );
  changeRoutes(http, { configurations, reloading });
}

/** What would change and what does. */
function changeRoutes<C extends Good>(http: Http, { configurations, reloading }: Omit<ConfigurationRouteDeps<C>, 'config'>): void {
  http.get(
    '/api/config/diff',
    {
      config: READ,
      schema: {
        summary: 'What one version says differently from another',
        tags: TAGS,
        querystring: z.object({ from: z.coerce.number().int().positive(), to: z.coerce.number().int().positive() }),
        response: { 200: changes },
      },
    },
    async ({ query: { from, to } }) => ({ changes: [...(await configurations.diff(from, to))] }),
  );
  http.post(
    '/api/config/restore',
    {
      config: ADMINISTER,
      schema: {
        summary: 'Writes a version back into the configuration file and takes it over',
        tags: TAGS,
        body: z.strictObject({ version: z.int().positive() }),
        response: { 200: reloaded },
      },
    },
    async (request) => {
      const { version, warnings, pending } = await reloading.restore(request.body.version, request.actor);
      return { version, warnings: [...warnings], pending: [...pending] };
    },
  );
  // A scope of its own, so that no other route learns to take YAML.
  void http.register(async (scope) => {
    scope.addContentTypeParser('application/yaml', { parseAs: 'string', bodyLimit: MAX_CONFIG_BYTES }, (_request, body, done) =>
      done(null, body),
    );
    scope.post(
      '/api/config/diff',
      {
        config: READ,
        bodyLimit: MAX_CONFIG_BYTES,
        schema: {
          summary: 'What a file (application/yaml) would change; nothing is applied',
          tags: TAGS,
          response: { 200: changes.extend({ pending: z.array(z.string()) }) },
        },
      },
      async (request) => {
        const found = await reloading.against(typeof request.body === 'string' ? request.body : '');
        return { changes: [...found.changes], pending: [...found.pending] };
      },
    );
  });
}
