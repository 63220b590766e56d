import { realClock } from '@nines/server/platform/clock.ts';
import { type Command, Option } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { FORMATS, type Format, type Table, formatted, writeData } from '../output.ts';
import { type RemoteOptions, ask } from '../remote.ts';
import { instantOption, toSeconds } from '../times.ts';

type QueryOptions = RemoteOptions & {
  readonly at?: string;
  readonly from?: string;
  readonly to?: string;
  readonly step?: string;
  readonly format: Format;
};

type Labels = Readonly<Record<string, string>>;
type Point = readonly [atSeconds: number, value: string];
type Result =
  | { readonly resultType: 'scalar' | 'string'; readonly result: Point }
  | { readonly resultType: 'vector'; readonly result: readonly { readonly metric: Labels; readonly value: Point }[] }
  | { readonly resultType: 'matrix'; readonly result: readonly { readonly metric: Labels; readonly values: readonly Point[] }[] };
type Answer = { readonly data: Result; readonly warnings?: readonly string[]; readonly infos?: readonly string[] };

/** Points of a range query without `--step`. */
const DEFAULT_POINTS = 100;

export function queryCommand(program: Command): void {
  program
    .command('query <expr>')
    .description('evaluate PromQL')
    .option('--at <time>', 'instant: RFC 3339, Unix seconds, now, now-1h')
    .option('--from <time>', 'start of a range')
    .option('--to <time>', 'end of a range (default: now)')
    .option('--step <duration>', 'distance between points of a range')
    .addOption(new Option('--format <format>', 'how to print').choices([...FORMATS]).default('table'))
    .action(async (expr: string, _options: unknown, command: Command) => {
      await query(expr, command.optsWithGlobals<QueryOptions>(), realClock.now());
    });
}

async function query(expr: string, options: QueryOptions, nowMs: number): Promise<void> {
  const body = JSON.parse(await ask(options, pathFor(expr, options, nowMs))) as Answer;
  for (const remark of [...(body.warnings ?? []), ...(body.infos ?? [])]) process.stderr.write(`${remark}\n`);
  writeData(formatted(options.format, tableOf(body.data), body.data));
}

function pathFor(expr: string, options: QueryOptions, nowMs: number): string {
  const params = new URLSearchParams({ query: expr });
  if (options.from === undefined) {
    if (options.to !== undefined || options.step !== undefined) throw new CliFailure(EXIT.badInput, 'a range needs --from');
    params.set('time', toSeconds(instantOption(options.at ?? 'now', 'at', nowMs)));
    return `/api/v1/query?${params.toString()}`;
  }
  if (options.at !== undefined) throw new CliFailure(EXIT.badInput, 'give either --at or --from, not both');
  const fromMs = instantOption(options.from, 'from', nowMs);
  const toMs = instantOption(options.to ?? 'now', 'to', nowMs);
  params.set('start', toSeconds(fromMs));
  params.set('end', toSeconds(toMs));
  params.set('step', options.step ?? String(Math.max(1, Math.ceil((toMs - fromMs) / 1000 / DEFAULT_POINTS))));
  return `/api/v1/query_range?${params.toString()}`;
}

function tableOf(data: Result): Table {
  const columns = ['series', 'time', 'value'];
  const time = (seconds: number): string => new Date(seconds * 1000).toISOString();
  switch (data.resultType) {
    case 'scalar':
    case 'string':
      return { columns, rows: [['', time(data.result[0]), data.result[1]]] };
    case 'vector':
      return { columns, rows: data.result.map(({ metric, value }) => [seriesText(metric), time(value[0]), value[1]]) };
    case 'matrix':
      return {
        columns,
        rows: data.result.flatMap(({ metric, values }) => values.map((point) => [seriesText(metric), time(point[0]), point[1]])),
      };
  }
}

/** `up{job="node"}`. */
function seriesText({ __name__: name = '', ...labels }: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return pairs.length === 0 && name !== '' ? name : `${name}{${pairs.join(', ')}}`;
}
