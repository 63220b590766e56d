import { readFileSync } from 'node:fs';
import { messageOf } from '@nines/base/errors.ts';
import { DAY_MS } from '@nines/base/units.ts';
import type { ImportReport } from '@nines/server/availability/imports/contract.ts';
import { realClock } from '@nines/server/platform/clock.ts';
import type { Command } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { ask, type RemoteOptions } from '../remote.ts';
import { instantOption } from '../times.ts';

const FORMATS = ['csv', 'json', 'uptime-kuma', 'probe-success'] as const;
type Format = (typeof FORMATS)[number];
type Options = RemoteOptions & {
  readonly source?: string;
  readonly format?: string;
  readonly service: readonly string[];
  readonly interval?: string;
  readonly from?: string;
  readonly to?: string;
};

/** `nines import intervals` and its other name `downtimes`: what another monitor saw, into the ledger. */
export function importIntervalsCommand(command: Command): void {
  const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];
  command
    .command('intervals <file-or-url>')
    .alias('downtimes')
    .description('up and down intervals of another monitor, into the ledger; - is standard input; a URL is a Prometheus with probe_success')
    .option('--source <name>', 'the other monitor (csv and json need it)')
    .option('--format <format>', `${FORMATS.join(', ')} (default: by the ending of the file; probe-success of a URL)`)
    .option(
      '--service <monitor=service>',
      "which service a monitor is: its id or name, or a label's value of probe_success; again for each",
      collect,
      [],
    )
    .option('--interval <duration>', 'how often the other monitor looked (default: the usual distance of its results)')
    .option('--from <time>', 'start (of a URL; default: now-30d)')
    .option('--to <time>', 'end (of a URL; default: now)')
    .action(async (place: string, _options: unknown, self: Command) => importIntervals(place, self.optsWithGlobals<Options>()));
}

async function importIntervals(place: string, options: Options): Promise<void> {
  const isUrl = /^https?:\/\//.test(place);
  const format = formatOf(place, options.format ?? (isUrl ? 'probe-success' : undefined));
  const text = isUrl ? await probeSuccess(place, options) : readText(place);
  const body = bodyOf(text, format, options);
  const report = JSON.parse(await ask(options, '/api/availability/imports', { method: 'POST', body })) as ImportReport;
  const id = report.import === null ? 'nothing new' : `import ${report.import.id} for ${report.import.services.join(', ')}`;
  process.stderr.write(`${place}: ${id}; ${report.taken} intervals taken, ${report.known} known before\n`);
}

function bodyOf(text: string, format: Format, options: Options): unknown {
  const { source, interval } = options;
  if (format === 'csv' || format === 'json') {
    if (source === undefined) throw new CliFailure(EXIT.badInput, 'say which monitor this comes from: --source NAME');
    return format === 'csv' ? { format, source, text } : { format: 'intervals', source, rows: jsonRows(text) };
  }
  const services = Object.fromEntries(
    options.service.map((pair) => {
      const at = pair.lastIndexOf('=');
      if (at <= 0) throw new CliFailure(EXIT.badInput, `--service ${pair}: write MONITOR=SERVICE`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
  return { format, text, services, ...(source === undefined ? {} : { source }), ...(interval === undefined ? {} : { interval }) };
}

function jsonRows(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new CliFailure(EXIT.badInput, `not JSON: ${messageOf(thrown)}`);
  }
}

function formatOf(place: string, written: string | undefined): Format {
  const ending = place.endsWith('.csv') ? 'csv' : place.endsWith('.json') ? 'json' : undefined;
  const format = FORMATS.find((one) => one === (written ?? ending));
  if (format !== undefined) return format;
  throw new CliFailure(EXIT.badInput, `which format? Write --format ${FORMATS.join('|')}`);
}

function readText(place: string): string {
  try {
    return readFileSync(place === '-' ? 0 : place, 'utf8');
  } catch (thrown) {
    throw new CliFailure(EXIT.badInput, `cannot read ${place}: ${messageOf(thrown)}`);
  }
}

const DEFAULT_LOOK_BACK_MS = 30 * DAY_MS;
type Series = { readonly metric: Readonly<Record<string, string>>; readonly values: [number, string][] };
type Answer = { readonly data?: { readonly result?: readonly Series[] } };

/** Every stored sample of `probe_success`, asked day by day so that no answer is too long, as one answer. */
async function probeSuccess(base: string, options: Options): Promise<string> {
  const nowMs = realClock.now();
  const toMs = options.to === undefined ? nowMs : instantOption(options.to, 'to', nowMs);
  const fromMs = options.from === undefined ? toMs - DEFAULT_LOOK_BACK_MS : instantOption(options.from, 'from', nowMs);
  const all = new Map<string, Series>();
  for (let atMs = fromMs; atMs < toMs; atMs += DAY_MS) {
    const endMs = Math.min(atMs + DAY_MS, toMs);
    const query = new URLSearchParams({ query: `probe_success[${endMs - atMs}ms]`, time: String(endMs / 1000) });
    for (const { metric, values } of await samples(`${base.replace(/\/+$/, '')}/api/v1/query?${query.toString()}`)) {
      const key = JSON.stringify(metric);
      const known = all.get(key) ?? { metric, values: [] };
      for (const one of values) if (one[0] > (known.values.at(-1)?.[0] ?? 0)) known.values.push(one);
      all.set(key, known);
    }
  }
  return JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: [...all.values()] } });
}

async function samples(url: string): Promise<readonly Series[]> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (thrown) {
    throw new CliFailure(EXIT.remote, `no answer from ${new URL(url).origin}: ${messageOf(thrown)}`);
  }
  const text = await response.text();
  if (!response.ok) throw new CliFailure(EXIT.remote, `${new URL(url).origin} answered ${response.status}: ${text.slice(0, 200)}`);
  return (JSON.parse(text) as Answer).data?.result ?? [];
}
