import { globSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '@nines/base/errors.ts';
import { type ConfigProblem, parseYaml } from '../platform/config/source.ts';
import { DASHBOARD_SCHEMA, type DashboardSpec, dashboardSpec } from './model.ts';

/** `dashboards: { files: [dashboards/*.yml] }`, relative to the configuration's file. */
export const dashboardsConfig = z.strictObject({ files: z.array(z.string().min(1)).max(1_000).default([]) }).prefault({});

const MAX_FILES = 1_000;
const MAX_FILE_BYTES = 2 * 1024 * 1024;

export type DeclaredDashboard = { readonly spec: DashboardSpec; readonly place: string };
export type DashboardFiles = {
  readonly dashboards: readonly DeclaredDashboard[];
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
};

/** The dashboards of files, one each, in YAML or JSON. An id that two files declare is a problem; a pattern that finds nothing a warning. */
export function loadDashboardFiles(patterns: readonly string[], baseDir: string): DashboardFiles {
  const problems: ConfigProblem[] = [];
  const warnings: ConfigProblem[] = [];
  const found = new Map<string, DeclaredDashboard>();
  const at = (file: string, message: string): ConfigProblem => ({ file, line: 1, column: 1, message });
  const files = patterns.flatMap((pattern) => {
    const matching = globSync(isAbsolute(pattern) ? pattern : join(baseDir, pattern)).sort();
    if (matching.length === 0) warnings.push(at(pattern, 'no file matches'));
    return matching;
  });
  if (files.length > MAX_FILES)
    return { dashboards: [], problems: [at('', `${files.length} files of dashboards; at most ${MAX_FILES}`)], warnings };
  for (const file of new Set(files)) {
    const read = readOne(file);
    if (!('spec' in read)) {
      problems.push(...read);
      continue;
    }
    const known = found.get(read.spec.id);
    if (known === undefined) found.set(read.spec.id, read);
    else problems.push(at(file, `the dashboard "${read.spec.id}" is declared at ${known.place} too`));
  }
  return { dashboards: [...found.values()], problems, warnings };
}

function readOne(file: string): DeclaredDashboard | readonly ConfigProblem[] {
  const at = (message: string): ConfigProblem => ({ file, line: 1, column: 1, message });
  let text: string;
  try {
    const { size } = statSync(file);
    if (size > MAX_FILE_BYTES) return [at(`${size} bytes; a dashboard has at most ${MAX_FILE_BYTES}`)];
    text = readFileSync(file, 'utf8');
  } catch (thrown) {
    return [at(messageOf(thrown))];
  }
  const source = parseYaml(file, text);
  if (source.problems.length > 0) return source.problems;
  const schema = (source.value as { readonly schema?: unknown } | null | undefined)?.schema;
  if (typeof schema === 'number' && schema > DASHBOARD_SCHEMA)
    return [{ file, ...source.at(['schema']), message: `schema ${schema}; this server knows up to ${DASHBOARD_SCHEMA}` }];
  const parsed = dashboardSpec.safeParse(source.value);
  if (parsed.success) return { spec: parsed.data, place: `${file}:1` };
  return parsed.error.issues.map(({ path, message }) => ({ file, ...source.at(path), message: `${path.join('.')}: ${message}` }));
}
