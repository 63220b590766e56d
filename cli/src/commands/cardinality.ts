import type { CardinalityView } from '@nines/server/series/contract.ts';
import { type Command, Option } from 'commander';
import { FORMATS, type Format, formatted, writeData } from '../output.ts';
import { type RemoteOptions, ask } from '../remote.ts';

type Options = RemoteOptions & { readonly match?: string; readonly limit: string; readonly format: Format };

export function cardinalityCommand(program: Command): void {
  program
    .command('cardinality')
    .description('limits of series with their use, and the metrics with the most series')
    .option('--match <selector>', 'count only the series it selects')
    .option('--limit <count>', 'metrics to list', '20')
    .addOption(new Option('--format <format>', 'how to print').choices([...FORMATS]).default('table'))
    .action(async (_options: unknown, command: Command) => {
      await cardinality(command.optsWithGlobals<Options>());
    });
}

async function cardinality(options: Options): Promise<void> {
  const params = new URLSearchParams({ limit: options.limit, ...(options.match === undefined ? {} : { match: options.match }) });
  const view = JSON.parse(await ask(options, `/api/cardinality?${params.toString()}`)) as CardinalityView;
  const limits = view.limits.map(({ setting, limit, used, refused_samples: refused }) => [
    setting,
    used === null ? '-' : String(used),
    limit === null ? 'none' : String(limit),
    String(refused),
  ]);
  const metrics = view.metrics.map((metric) => [
    metric.name,
    String(metric.series),
    String(metric.new_in_minute),
    String(metric.new_in_hour),
    String(metric.refused_samples),
  ]);
  const ofMetrics = { columns: ['metric', 'series', 'new_in_minute', 'new_in_hour', 'refused_samples'], rows: metrics };
  // One table for programs; people see the limits above it.
  if (options.format === 'table')
    writeData(`${formatted('table', { columns: ['limit', 'used', 'of', 'refused_samples'], rows: limits }, view)}\n`);
  writeData(formatted(options.format, ofMetrics, view));
  if (view.last_refusal !== null)
    process.stderr.write(`last refusal, ${new Date(view.last_refusal.at_ms).toISOString()}: ${view.last_refusal.detail}\n`);
}
