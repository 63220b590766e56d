import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { type ExaminationView, backupBody, backupRunView, examinationView, storedBackupView } from './contract.ts';
import type { Backups } from './service.ts';

const listView = z.object({ runs: z.array(backupRunView), stored: z.array(storedBackupView) });

export type BackupRouteDeps = { readonly backups: Backups; readonly doctor: () => Promise<ExaminationView> };

/** Backups and the doctor. For administrators: a backup writes where it is told to, with everything in it. */
export function backupRoutes(http: Http, { backups, doctor }: BackupRouteDeps): void {
  const config = { permission: 'administer' as const };
  http.post(
    '/api/backups',
    {
      config: { ...config, stepUp: true },
      schema: { summary: 'Begins a backup', tags: ['backups'], body: backupBody, response: { 202: backupRunView } },
    },
    async (request, reply) => reply.code(202).send(backups.start({ ...request.body, scheduled: false })),
  );
  http.get(
    '/api/backups',
    {
      config: { ...config, audit: 'read' },
      schema: { summary: 'Backups under way, made, and stored', tags: ['backups'], response: { 200: listView } },
    },
    async () => ({ runs: [...backups.runs()], stored: [...(await backups.stored())] }),
  );
  http.get(
    '/api/backups/:id',
    {
      config: { ...config, audit: 'read' },
      schema: {
        summary: 'One backup of this server',
        tags: ['backups'],
        params: z.object({ id: z.string() }),
        response: { 200: backupRunView },
      },
    },
    async (request) => backups.run(request.params.id),
  );
  http.post(
    '/api/doctor',
    { config, schema: { summary: 'Examines the data directory', tags: ['backups'], response: { 200: examinationView } } },
    async () => doctor(),
  );
}
