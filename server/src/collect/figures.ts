import { parseDuration } from '@nines/base/duration.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import { METRIC_NAME, labelValue, labelsToRecord } from '@nines/model/labels.ts';
import { StoreUnavailable } from '@nines/model/storage.ts';
import { type Aliases, HISTORY_TYPES } from './aliases.ts';
import type { SampleQuery } from './contract.ts';

/**
 * The figures of `GET /api/metrics/current` and `/history`: projections of stored series through the table of aliases, so
 * that a number on the overview is the number that a rule sees.
 */
export type FiguresDeps = { readonly query: SampleQuery; readonly aliases: Aliases; readonly instance: string };

type Element = Awaited<ReturnType<SampleQuery['instant']>>[number];

/** The wire's shape (spec http.md). A rate is null until two samples exist. */
export type CurrentFigures = {
  readonly at_ms: number;
  readonly instance: string;
  readonly cpu: { readonly percent: number | null; readonly cores: readonly { readonly core: string; readonly percent: number }[] };
  readonly memory: { readonly percent: number | null; readonly used_bytes: number | null; readonly total_bytes: number | null };
  readonly swap: { readonly percent: number | null };
  readonly disk: readonly {
    readonly mount: string;
    readonly percent: number;
    readonly used_bytes: number | null;
    readonly total_bytes: number | null;
  }[];
  readonly network: { readonly receive_bytes_per_second: number | null; readonly transmit_bytes_per_second: number | null };
  readonly load: { readonly '1m': number | null; readonly '5m': number | null; readonly '15m': number | null };
  readonly temperature: { readonly celsius: number | null };
  readonly uptime_seconds: number | null;
  readonly process: { readonly rss_bytes: number | null; readonly cpu_percent: number | null };
};

/** This host's figures at `atMs`. */
export async function currentFigures(deps: FiguresDeps, atMs: number): Promise<CurrentFigures> {
  const elements = async (name: string): Promise<readonly Element[]> => {
    const alias = deps.aliases.resolve(name);
    const found = alias === undefined ? [] : await deps.query.instant(alias.expr, atMs);
    return found.filter(({ labels }) => labelValue(labels, 'instance') === deps.instance);
  };
  const one = async (name: string): Promise<number | null> => finite((await elements(name))[0]?.value);
  const [cpu, cores, memory, used, total, swap] = await Promise.all([
    one('system.cpu.percent'),
    elements('system.cpu.core.percent'),
    one('system.memory.percent'),
    one('system.memory.used_bytes'),
    one('system.memory.total_bytes'),
    one('system.swap.percent'),
  ]);
  const [disk, receive, transmit] = await Promise.all([
    diskFigures(elements),
    one('system.network.receive_bytes_per_second'),
    one('system.network.transmit_bytes_per_second'),
  ]);
  const [load1, load5, load15] = await Promise.all([one('system.load.1m'), one('system.load.5m'), one('system.load.15m')]);
  const [celsius, uptime, rss, ownCpu] = await Promise.all([
    one('system.temperature.celsius'),
    one('system.uptime.seconds'),
    one('process.rss_bytes'),
    one('process.cpu.percent'),
  ]);
  return {
    at_ms: atMs,
    instance: deps.instance,
    cpu: { percent: cpu, cores: coreFigures(cores) },
    memory: { percent: memory, used_bytes: used, total_bytes: total },
    swap: { percent: swap },
    disk,
    network: { receive_bytes_per_second: receive, transmit_bytes_per_second: transmit },
    load: { '1m': load1, '5m': load5, '15m': load15 },
    temperature: { celsius },
    uptime_seconds: uptime,
    process: { rss_bytes: rss, cpu_percent: ownCpu },
  };
}

const finite = (value: number | undefined): number | null => (value !== undefined && Number.isFinite(value) ? value : null);

const coreFigures = (cores: readonly Element[]): CurrentFigures['cpu']['cores'] =>
  cores.map(({ labels, value }) => ({ core: labelValue(labels, 'cpu'), percent: value })).sort((a, b) => Number(a.core) - Number(b.core));

async function diskFigures(elements: (name: string) => Promise<readonly Element[]>): Promise<CurrentFigures['disk']> {
  const [percent, used, total] = await Promise.all([
    elements('system.disk.percent'),
    elements('system.disk.used_bytes'),
    elements('system.disk.total_bytes'),
  ]);
  const at = (list: readonly Element[], mount: string): number | null =>
    finite(list.find(({ labels }) => labelValue(labels, 'mountpoint') === mount)?.value);
  return percent
    .map(({ labels, value }) => {
      const mount = labelValue(labels, 'mountpoint');
      return { mount, percent: value, used_bytes: at(used, mount), total_bytes: at(total, mount) };
    })
    .sort((a, b) => (a.mount < b.mount ? -1 : 1));
}

/** The offered ranges with the step that gives 240 to 360 points. Other lengths get at most `MAX_POINTS`. */
const STEPS: readonly (readonly [rangeMs: number, stepMs: number])[] = [
  [HOUR_MS, 15 * SECOND_MS],
  [DAY_MS, 5 * MINUTE_MS],
  [7 * DAY_MS, 30 * MINUTE_MS],
  [30 * DAY_MS, 2 * HOUR_MS],
];
const MAX_POINTS = 360;
const MAX_RANGE_MS = 400 * DAY_MS;

export function stepOf(rangeMs: number): number {
  const offered = STEPS.find(([length]) => length === rangeMs)?.[1];
  return offered ?? Math.max(SECOND_MS, Math.ceil(rangeMs / MAX_POINTS / SECOND_MS) * SECOND_MS);
}

/** `1h`, `24h`, `7d`, `30d` or any other length up to 400 days, in milliseconds. */
export function parseRange(text: string): number {
  const parsed = parseDuration(text);
  if (!parsed.ok || parsed.value < SECOND_MS || parsed.value > MAX_RANGE_MS) {
    throw new AppError('bad_input', 'invalid_range', `range "${text}" is not a length from 1s to 400d, such as 1h, 24h, 7d or 30d`, {
      field: 'range',
    });
  }
  return parsed.value;
}

export type HistorySeries = {
  readonly metric: string;
  readonly unit: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly (readonly [atMs: number, value: number])[];
};
export type History = {
  readonly from_at_ms: number;
  readonly to_at_ms: number;
  readonly step_ms: number;
  readonly series: readonly HistorySeries[];
};

/** Stored history of dotted names, or of plain PromQL, at the steps of its range; points without a number are left out. */
export async function history(
  deps: FiguresDeps,
  metrics: readonly string[],
  range: { readonly toMs: number; readonly rangeMs: number },
): Promise<History> {
  const stepMs = stepOf(range.rangeMs);
  // On the grid of the step, so that two looks at the same hour show the same points.
  const toMs = Math.floor(range.toMs / stepMs) * stepMs;
  const fromMs = toMs - Math.floor(range.rangeMs / stepMs) * stepMs;
  const parts = metrics.map(async (metric) => {
    const alias = deps.aliases.resolve(metric);
    const asked = deps.query.range(alias?.expr ?? metric, { fromMs, toMs, stepMs });
    const found = await (alias === undefined ? asked.catch(refuseMetric) : asked);
    return found.map(({ labels, times, values }) => ({
      metric: alias === undefined ? labelValue(labels, METRIC_NAME) || metric : metric,
      unit: alias?.unit ?? '',
      labels: labelsToRecord(labels),
      points: Array.from(times, (atMs, i) => [atMs, values[i] ?? Number.NaN] as const).filter(([, value]) => Number.isFinite(value)),
    }));
  });
  return { from_at_ms: fromMs, to_at_ms: toMs, step_ms: stepMs, series: (await Promise.all(parts)).flat() };
}

/** A metric that a client wrote and the engine refused is the client's mistake, unless the store itself failed. */
export function refuseMetric(thrown: unknown): never {
  if (thrown instanceof AppError || thrown instanceof StoreUnavailable) throw thrown;
  throw new AppError('bad_input', 'invalid_metric', messageOf(thrown), { cause: thrown, field: 'metric' });
}

/** The aliases of a short history type. */
export function historyType(type: string): readonly string[] {
  const metrics = Object.hasOwn(HISTORY_TYPES, type) ? HISTORY_TYPES[type] : undefined;
  if (metrics === undefined) {
    throw new AppError(
      'not_found',
      'history_type_not_found',
      `no history of type "${type}"; there are ${Object.keys(HISTORY_TYPES).join(', ')}`,
    );
  }
  return metrics;
}
