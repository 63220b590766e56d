import { invariant } from '@nines/base/errors.ts';
import type { LocalTarget } from '../contract.ts';
import { type ScrapeJob, readPrometheusFile } from './prometheus-file.ts';

/** Stands as the place of these jobs. */
const PLACE = 'chosen on the overview';

/** A job for each program of this host, called like it unless a file has a job of that name. */
export function localJobs(targets: readonly LocalTarget[], taken: ReadonlySet<string>): readonly ScrapeJob[] {
  if (targets.length === 0) return [];
  const written = targets.map(({ port, program }) => ({
    job_name: taken.has(program) ? `${program}-${port}` : program,
    scrape_interval: '15s',
    static_configs: [{ targets: [`127.0.0.1:${port}`] }],
  }));
  const { file, problems } = readPrometheusFile(PLACE, JSON.stringify({ scrape_configs: written }));
  invariant(file !== undefined, `local targets must make a scrape configuration, but: ${problems[0]?.message ?? ''}`);
  return file.jobs.map((job) => ({ ...job, place: PLACE }));
}
