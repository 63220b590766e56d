import { resolve } from 'node:path';
import { AppError } from '@nines/base/errors.ts';
import { readPrometheusFile, repeatedJobs } from '@nines/server/collect/scrape/prometheus-file.ts';
import { type Configuration, readConfig } from '@nines/server/config.ts';
import { formatProblem, type Override } from '@nines/server/platform/config/load.ts';
import type { ConfigProblem } from '@nines/server/platform/config/source.ts';
import { KINDS, type RuleKind } from '@nines/server/rules/kinds.ts';
import type { OpenOptions, Rule, Target } from './contract.ts';
import { lengthMs, lengthText, refused } from './given.ts';

/** What was added since this was opened, by id and by job. */
export type Added = { readonly rules: ReadonlyMap<string, Rule>; readonly targets: ReadonlyMap<string, Target> };
export const NOTHING_ADDED: Added = { rules: new Map(), targets: new Map() };

/**
 * The configuration that is in force: the file, then sections that were handed over, then what was added. Files that it names are read
 * again. `AppError` `bad_configuration` with every problem, one a line.
 */
export function configured(options: OpenOptions, added: Added): Configuration {
  const sections = Object.entries(options.settings ?? {}).map(([name, value]) => override([name], value, `settings`));
  const state = typeof options.store === 'string' ? { kind: options.store } : options.store;
  const flags = [...sections, override(['state'], state, 'store')];
  const base = read(options, flags);
  const lists = ruleLists(base.written, added.rules);
  const full = lists.length === 0 ? base : read(options, [...flags, ...lists]);
  return added.targets.size === 0 ? full : withTargets(full, added.targets);
}

const override = (path: readonly string[], value: unknown, source: string): Override => ({ path, value, source });

function read({ config: file, path }: OpenOptions, flags: readonly Override[]): Configuration {
  // The environment is the program's own: what stands there for a server is not meant for this.
  const found = readConfig({ file, dataDir: resolve(path), env: {}, flags });
  if (!found.ok) throw bad(found.problems);
  return found;
}

function bad(problems: readonly ConfigProblem[]): AppError {
  return new AppError('bad_input', 'bad_configuration', problems.map(formatProblem).join('\n'), { details: problems });
}

/** The lists of rules as they are written, with what was added at their ends. */
function ruleLists(written: unknown, rules: Added['rules']): readonly Override[] {
  const section = recordOf(recordOf(written)['rules']);
  const lists = new Map<string, unknown[]>();
  for (const { kind, ...rule } of rules.values()) {
    const { list } = KINDS[kind satisfies RuleKind];
    const before = section[list];
    const found = lists.get(list) ?? [...(Array.isArray(before) ? (before as unknown[]) : [])];
    lists.set(list, [...found, rule]);
  }
  return [...lists].map(([list, all]) => override(['rules', list], all, 'rules.add'));
}

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

export function judgeRule(rule: Rule): void {
  if (!Object.hasOwn(KINDS, rule.kind))
    throw refused('unknown_rule_kind', 'kind', `there is no rule of kind "${rule.kind}"; there are ${Object.keys(KINDS).join(', ')}`);
}

/** A file of Prometheus' that nobody wrote: the one way in which targets are described. */
function withTargets(base: Configuration, targets: Added['targets']): Configuration {
  const text = JSON.stringify({ scrape_configs: [...targets.values()].map(jobOf) });
  const { file, problems } = readPrometheusFile(resolve('targets.add'), text);
  if (file === undefined) throw bad(problems);
  const files = [...base.scrapes.files, file];
  const repeated = repeatedJobs(files);
  if (repeated.length > 0) throw bad(repeated);
  return { ...base, scrapes: { ...base.scrapes, files } };
}

function jobOf({ job, url, interval, timeout, labels }: Target): Readonly<Record<string, unknown>> {
  if (!URL.canParse(url)) throw refused('bad_target', 'url', `expected an address such as http://127.0.0.1:9100/metrics, found "${url}"`);
  const { protocol, host, pathname, searchParams, username, password } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') throw refused('bad_target', 'url', `expected http or https, found ${protocol}`);
  if (username !== '' || password !== '')
    throw refused('bad_target', 'url', 'credentials do not belong into an address; write the job into a file of settings.scrape.files');
  const params = Object.fromEntries([...searchParams.keys()].map((name) => [name, searchParams.getAll(name)]));
  return {
    job_name: job,
    scheme: protocol.slice(0, -1),
    metrics_path: pathname === '/' ? '/metrics' : pathname,
    params,
    static_configs: [{ targets: [host], labels: labels ?? {} }],
    ...(interval !== undefined && { scrape_interval: lengthOf(interval, 'interval') }),
    ...(timeout !== undefined && { scrape_timeout: lengthOf(timeout, 'timeout') }),
  };
}

function lengthOf(length: NonNullable<Target['interval']>, field: string): string {
  lengthMs(length, field);
  return lengthText(length);
}
