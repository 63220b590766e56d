import { HOUR_MS } from '@nines/base/units.ts';
import { realClock } from '@nines/server/platform/clock.ts';
import type { ImportFormat, ImportReport } from '@nines/server/transfer/contract.ts';
import type { Command } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { createProgress } from '../import/progress.ts';
import type { ImportSource } from '../import/source.ts';
import type { RemoteOptions } from '../remote.ts';
import { instantOption } from '../times.ts';
import { importAlertmanagerCommand } from './import-alertmanager.ts';
import { importIntervalsCommand } from './import-intervals.ts';

type ImportOptions = RemoteOptions & { readonly match?: string; readonly from?: string; readonly to?: string };

/** How far back a running server is asked unless `--from` says so: the retention of a store that nobody configured. */
const DEFAULT_LOOK_BACK_MS = 30 * 24 * HOUR_MS;

export function importCommand(program: Command): void {
  const command = program.command('import').description('bring old samples from elsewhere into the server; doing it twice changes nothing');
  command
    .command('openmetrics <file...>')
    .description('text in OpenMetrics 1.0 with timestamps, plain or gzip; - is standard input')
    .action(async (files: readonly string[], _options: unknown, self: Command) =>
      importFiles(files, 'openmetrics', self.optsWithGlobals<ImportOptions>()),
    );
  command
    .command('victoriametrics <file-or-url...>')
    .description("lines of VictoriaMetrics' /api/v1/export, plain or gzip; - is standard input; a URL is asked for them")
    .option('--match <selector>', 'only these series (of a URL)')
    .option('--from <time>', 'start (of a URL; default: now-30d)')
    .option('--to <time>', 'end (of a URL; default: now)')
    .action(async (places: readonly string[], _options: unknown, self: Command) =>
      importExports(places, self.optsWithGlobals<ImportOptions>()),
    );
  command
    .command('prometheus <dir-or-url>')
    .description('the blocks of a data directory, a snapshot or a single block; or a running Prometheus, through remote read')
    .option('--match <selector>', 'only these series')
    .option('--from <time>', 'start (default: everything of a directory, now-30d of a URL)')
    .option('--to <time>', 'end (default: everything of a directory, now of a URL)')
    .action(async (place: string, _options: unknown, self: Command) => importPrometheus(place, self.optsWithGlobals<ImportOptions>()));
  importIntervalsCommand(command);
  importAlertmanagerCommand(command);
}

const isUrl = (place: string): boolean => /^https?:\/\//.test(place);

const rangeOf = (options: ImportOptions, all: { readonly fromMs: number; readonly toMs: number }): { fromMs: number; toMs: number } => {
  const nowMs = realClock.now();
  const fromMs = options.from === undefined ? all.fromMs : instantOption(options.from, 'from', nowMs);
  const toMs = options.to === undefined ? all.toMs : instantOption(options.to, 'to', nowMs);
  if (fromMs > toMs) throw new CliFailure(EXIT.badInput, `--from lies after --to: ${fromMs} > ${toMs} (milliseconds)`);
  return { fromMs, toMs };
};
const lately = (): { readonly fromMs: number; readonly toMs: number } => ({
  fromMs: realClock.now() - DEFAULT_LOOK_BACK_MS,
  toMs: realClock.now(),
});

async function importFiles(files: readonly string[], format: ImportFormat, options: ImportOptions): Promise<void> {
  const { fileSource } = await import('../import/files.ts');
  for (const file of files) {
    const source = await fileSource(file);
    await run(source, { name: file === '-' ? 'standard input' : file, format, gzip: source.gzip }, options);
  }
}

async function importExports(places: readonly string[], options: ImportOptions): Promise<void> {
  const { exportSource } = await import('../import/files.ts');
  for (const place of places) {
    if (!isUrl(place)) {
      await importFiles([place], 'vmjson', options);
      continue;
    }
    const { matchersOf } = await import('../import/source.ts');
    matchersOf(options.match);
    const source = exportSource(place, { selector: options.match ?? '{__name__!=""}', ...rangeOf(options, lately()) });
    await run(source, { name: new URL(place).origin, format: 'vmjson' }, options);
  }
}

async function importPrometheus(place: string, options: ImportOptions): Promise<void> {
  const { matchersOf } = await import('../import/source.ts');
  const matchers = matchersOf(options.match);
  if (isUrl(place)) {
    const { prometheusRemote } = await import('../import/prometheus-remote.ts');
    await run(
      prometheusRemote(place, { matchers, ...rangeOf(options, lately()) }),
      { name: new URL(place).origin, format: 'remote-write' },
      options,
    );
    return;
  }
  const { prometheusBlocks } = await import('../import/prometheus-blocks.ts');
  const everything = { fromMs: Number.MIN_SAFE_INTEGER, toMs: Number.MAX_SAFE_INTEGER };
  await run(prometheusBlocks(place, { matchers, ...rangeOf(options, everything) }), { name: place, format: 'remote-write' }, options);
}

type Journey = { readonly name: string; readonly format: ImportFormat; readonly gzip?: boolean };

/** Sends one source, shows how far it is, says what became of it. Anything that was not kept makes the exit code 1. */
async function run(source: ImportSource, { name, format, gzip = false }: Journey, options: ImportOptions): Promise<void> {
  const { sendImport } = await import('../import/send.ts');
  const progress = createProgress(realClock, process.stderr);
  let sent = 0;
  const body = (async function* () {
    for await (const piece of source.body) {
      sent += piece.length;
      progress.update(source.done(), source.total, `${name}: ${(sent / 1e6).toFixed(1)} MB sent`);
      yield piece;
    }
    progress.update(1, 1, `${name}: all sent, waiting for the rest to be written`);
  })();
  let report: ImportReport;
  try {
    report = await sendImport(options, { format, gzip }, body);
  } finally {
    progress.end();
  }
  const remarks = source.remarks();
  process.stderr.write(`${[summary(name, report), ...complaints(report), ...remarks].join('\n')}\n`);
  if (report.refused > 0 || report.bad_lines > 0 || remarks.length > 0) process.exitCode = EXIT.failed;
}

/** Reasons and lines shown; the server's answer has more. */
const MAX_SHOWN = 10;

function summary(name: string, { samples, stored, repeated, refused }: ImportReport): string {
  return `${name}: ${samples} samples, ${stored} stored, ${repeated} there already, ${refused} refused`;
}

function complaints(report: ImportReport): readonly string[] {
  const lines: string[] = [];
  if (report.bad_lines > 0) lines.push(`${report.bad_lines} lines could not be read:`);
  for (const { line, reason } of report.bad_lines_listed.slice(0, MAX_SHOWN)) lines.push(`  line ${line}: ${reason}`);
  for (const [reason, count] of Object.entries(report.refused_by)) {
    const example = report.refused_listed.find((one) => one.reason === reason);
    lines.push(
      `${count} refused: ${reason}${example === undefined ? '' : `, such as ${example.series} at ${example.at_ms}: ${example.detail}`}`,
    );
  }
  if (report.skipped.exemplars > 0) lines.push(`${report.skipped.exemplars} exemplars were left out`);
  if (report.skipped.histograms > 0) lines.push(`${report.skipped.histograms} native histograms were left out`);
  return lines;
}
