import type { Http } from '../platform/http/contract.ts';
import { firstRunView, localTargetBody, preferencesBody, preferencesView } from './contract.ts';
import type { Preferences } from './preferences.ts';
import type { Home } from './start.ts';
import { z } from 'zod';

/** `/api/first-run`, and `/api/preferences` of whoever asks. */
export function homeRoutes(http: Http, { home, preferences }: { readonly home: Home; readonly preferences: Preferences }): void {
  http.get(
    '/api/first-run',
    {
      config: { permission: 'read' },
      schema: {
        summary: 'What a new installation has of all it begins with, which samples came, and which programs of this host tell metrics',
        tags: ['system'],
        response: { 200: firstRunView },
      },
    },
    () => home.firstRun(),
  );
  http.post(
    '/api/first-run/targets',
    {
      config: { permission: 'operate' },
      schema: { summary: 'Scrape a program of this host', tags: ['system'], body: localTargetBody, response: { 200: firstRunView } },
    },
    async (request) => {
      await home.localTargets.add(request.body.port, request.actor);
      return home.firstRun();
    },
  );
  http.delete(
    '/api/first-run/targets/:port',
    {
      config: { permission: 'operate' },
      schema: { summary: 'Scrape a program of this host no longer', tags: ['system'], params: z.object({ port: z.coerce.number().int() }) },
    },
    async (request, reply) => {
      await home.localTargets.remove(request.params.port);
      return reply.code(204).send();
    },
  );
  const own = { permission: 'read', scoped: { free: "one's own" } } as const;
  http.get(
    '/api/preferences',
    { config: own, schema: { summary: 'What you chose for yourself', tags: ['access'], response: { 200: preferencesView } } },
    (request) => preferences.of(request.actor.id),
  );
  http.put(
    '/api/preferences',
    {
      config: own,
      schema: {
        summary: 'The page you begin with, and whether the checklist stands on the overview',
        tags: ['access'],
        body: preferencesBody,
        response: { 200: preferencesView },
      },
    },
    (request) => preferences.change(request.actor.id, request.body),
  );
}
