import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf } from '@nines/base/errors.ts';
import type { DashboardSummary, DashboardView } from '@nines/server/dashboards/contract.ts';
import type { Command } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { type RemoteOptions, ask, destination } from '../remote.ts';

type Options = RemoteOptions & { readonly only?: string; readonly all?: boolean; readonly reach?: string };
type Spec = DashboardView['spec'];

/** What Grafana's own lengths of time and variables are while it is asked whether a panel has anything to show. */
const LENGTHS: readonly (readonly [RegExp, string])[] = [
  [/\$\{?__rate_interval\}?/g, '5m'],
  [/\$\{?__(?:range|interval)_(?:s|ms)\}?/g, '300'],
  [/\$\{?__(?:range|interval)\}?/g, '5m'],
  [/"\$\{?\w+(?::\w+)?\}?"/g, '".*"'],
];

export function exportCommand(program: Command): void {
  const command = program.command('export').description('files for other programs');
  command
    .command('grafana <directory>')
    .description('dashboards, data source, scrape section and rules for a Grafana and a Prometheus beside Nines, also as ConfigMaps')
    .option('--only <ids>', 'these dashboards, with commas between them; all when left out')
    .option('--all', 'also panels that have nothing to show now')
    .option('--reach <url>', 'where Grafana and Prometheus reach Nines; the server that is asked when left out')
    .action((directory: string, _options: unknown, self: Command) => grafana(directory, self.optsWithGlobals<Options>()));
}

async function grafana(directory: string, options: Options): Promise<void> {
  const { asksOf, keeperFiles, without } = await import('@nines/server/dashboards/grafana/keepers.ts');
  const json = async <Body>(path: string): Promise<Body> => JSON.parse(await ask(options, path)) as Body;
  const { items } = await json<{ readonly items: readonly DashboardSummary[] }>('/api/dashboards');
  const wanted = options.only?.split(',');
  const unknown = wanted?.filter((id) => !items.some((one) => one.id === id)) ?? [];
  if (unknown.length > 0) throw new CliFailure(EXIT.notFound, `there is no dashboard ${unknown.join(', ')} (nines dashboards list)`);
  const listed = await json<{ readonly items: readonly { readonly name: string; readonly expr: string }[] }>('/api/metrics/aliases');
  const aliases = new Map(listed.items.map(({ name, expr }) => [name, expr] as const));
  const dashboards: Spec[] = [];
  for (const { id } of items.filter((one) => wanted === undefined || wanted.includes(one.id))) {
    const { spec } = await json<DashboardView>(`/api/dashboards/${encodeURIComponent(id)}`);
    const empty = options.all === true ? new Set<string>() : await emptyPanels(asksOf(spec, aliases), options);
    const shown = without(spec, empty);
    for (const key of empty) process.stderr.write(`${id}: "${spec.panels[key]?.title ?? key}" has nothing to show and is left out\n`);
    if (shown === undefined) process.stderr.write(`${id}: nothing is left of it, so it is left out\n`);
    else dashboards.push(shown);
  }
  const rules = (await json<{ readonly items: readonly unknown[] }>('/api/rules')).items;
  const { files, left } = keeperFiles({ dashboards, rules, aliases, url: options.reach ?? destination(options).base });
  for (const reason of left) process.stderr.write(`left out: ${reason}\n`);
  for (const { path, text } of files) write(join(directory, path), text);
  process.stderr.write(`${files.length} files in ${directory}: ${dashboards.length} dashboards\n`);
}

/** Panels whose every query answers with nothing. */
async function emptyPanels(asks: ReadonlyMap<string, readonly string[]>, options: RemoteOptions): Promise<ReadonlySet<string>> {
  const empty = new Set<string>();
  for (const [key, exprs] of asks) {
    if (exprs.length === 0) continue;
    let shows = false;
    for (const expr of exprs) shows ||= await answers(expr, options);
    if (!shows) empty.add(key);
  }
  return empty;
}

async function answers(expr: string, options: RemoteOptions): Promise<boolean> {
  const query = LENGTHS.reduce((text, [pattern, stands]) => text.replace(pattern, stands), expr);
  const asked = `/api/v1/query?${new URLSearchParams({ query }).toString()}`;
  const answer = JSON.parse(await ask(options, asked)) as {
    readonly data: { readonly resultType: string; readonly result: readonly unknown[] };
  };
  return answer.data.result.length > 0;
}

function write(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  } catch (thrown) {
    throw new CliFailure(EXIT.badInput, `cannot write ${path}: ${messageOf(thrown)}`);
  }
}
