import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config, Configuration } from './config.ts';
import { fingerprint } from './platform/config/fingerprint.ts';

/** When a change of a section takes effect: at a reload, or at the next start. Every section says so. */
export const TAKES_EFFECT: Readonly<Record<keyof Config, 'reload' | 'start'>> = {
  server: 'start',
  data: 'start',
  state: 'start',
  encryption: 'start',
  log: 'start',
  retention: 'start',
  backups: 'reload',
  limits: 'reload',
  promql: 'start',
  channels: 'reload',
  routing: 'reload',
  oncall: 'reload',
  escalation: 'reload',
  checks: 'start',
  recovery: 'reload',
  health: 'start',
  agents: 'start',
  services: 'reload',
  slas: 'reload',
  maintenance: 'reload',
  slo_files: 'reload',
  sla_examples: 'reload',
  statements: 'reload',
  report_templates: 'reload',
  status_pages: 'reload',
  rules: 'reload',
  analytics: 'reload',
  dashboards: 'reload',
  collect: 'start',
  scrape: 'reload',
  otlp: 'start',
  audit: 'reload',
  access: 'reload',
  outbound: 'reload',
  programs: 'start',
};

/** The keys (`server.listen`) that differ from what the server was started with and wait for the next start. Pure. */
export function pendingKeys(started: Config, next: Config): readonly string[] {
  return (Object.keys(TAKES_EFFECT) as (keyof Config)[])
    .filter((section) => TAKES_EFFECT[section] === 'start' && fingerprint(started[section]) !== fingerprint(next[section]))
    .flatMap((section) => keysIn(section, started[section], next[section]));
}

function keysIn(section: string, before: unknown, after: unknown): readonly string[] {
  if (typeof before !== 'object' || typeof after !== 'object' || before === null || after === null) return [section];
  const [old, next] = [before as Record<string, unknown>, after as Record<string, unknown>];
  const keys = [...new Set([...Object.keys(old), ...Object.keys(next)])];
  return keys.filter((key) => fingerprint(old[key]) !== fingerprint(next[key])).map((key) => `${section}.${key}`);
}

/** The files of rules and of Prometheus that a configuration took in, by path, as the SHA-256 of what they hold. */
export function namedFiles({ scrapes, ruleGroups }: Pick<Configuration, 'scrapes' | 'ruleGroups'>): Readonly<Record<string, string>> {
  const paths = new Set([...scrapes.files.map(({ file }) => file), ...ruleGroups.map(({ file }) => file)]);
  return Object.fromEntries([...paths].sort().flatMap((path) => digestOf(path).map((digest) => [path, digest])));
}

/** None when it is gone since. */
function digestOf(path: string): readonly string[] {
  try {
    return [createHash('sha256').update(readFileSync(path)).digest('hex')];
  } catch {
    return [];
  }
}
