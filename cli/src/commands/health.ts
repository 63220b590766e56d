import type { HealthReportView } from '@nines/server/ops/health-checks/contract.ts';
import { type Command, Option } from 'commander';
import { FORMATS, type Format, formatted, writeData } from '../output.ts';
import { type RemoteOptions, ask } from '../remote.ts';

type Options = RemoteOptions & { readonly format: Format };
type Measure = HealthReportView['checks'][number]['measures'][number];

export function healthCommand(program: Command): void {
  program
    .command('health')
    .description('the five built-in health checks of the host and of Nines: figures, thresholds and where they are heading')
    .addOption(new Option('--format <format>', 'how to print').choices([...FORMATS]).default('table'))
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const report = JSON.parse(await ask(options, '/api/health/checks')) as HealthReportView;
      writeData(formatted(options.format, tableOf(report), report));
    });
}

function tableOf({ checks }: HealthReportView) {
  const rows = checks.flatMap((check) =>
    check.measures.map((measure) => [
      check.id,
      measure.id,
      measure.level,
      measure.value === null ? '-' : shown(measure.value, measure.unit),
      shown(measure.warning, measure.unit),
      shown(measure.critical, measure.unit),
      trendText(measure),
    ]),
  );
  return { columns: ['check', 'figure', 'level', 'value', 'warning', 'critical', 'trend'], rows };
}

const SUFFIX = { percent: ' %', seconds: ' s', count: '', ratio: '' } as const;
const shown = (value: number, unit: Measure['unit']): string => `${Number(value.toPrecision(3))}${SUFFIX[unit]}`;

function trendText({ trend, unit }: Measure): string {
  if (trend === null) return '-';
  const slope = `${trend.per_hour >= 0 ? '+' : ''}${shown(trend.per_hour, unit)} an hour`;
  return trend.critical_in_ms === null ? slope : `${slope}, critical in ${Math.round(trend.critical_in_ms / 360_000) / 10} h`;
}
