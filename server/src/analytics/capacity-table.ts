import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '@nines/base/units.ts';
import { LARGEST } from '@nines/maths/stats/numbers.ts';
import { METRIC_NAME, type Labels, labelsToRecord } from '@nines/model/labels.ts';
import { visible } from '@nines/model/scope.ts';
import type { Scope } from '@nines/model/storage.ts';
import type { MetricAlias, SampleQuery } from '../collect/contract.ts';
import type { CapacityRow, CapacityTable, WatchSpec } from './contract.ts';
import type { AskAnalytics } from './start.ts';

/** What fills up: one expression, every series of which is a line of the table. */
type Resource = {
  readonly name: string;
  readonly expr: string;
  readonly unit: string;
  readonly limit: number | null;
  readonly side: 'above' | 'below';
  readonly leaks: boolean;
  readonly sized: boolean;
};

export type CapacityTableDeps = {
  readonly ask: AskAnalytics;
  readonly samples: SampleQuery;
  readonly aliases: { readonly list: readonly MetricAlias[] };
  readonly watches: () => readonly WatchSpec[];
  readonly clock: Clock;
  readonly logger: Logger;
};

/** Lines of the table, and how long one answer serves. */
const MAX_ROWS = 300;
const KEPT_MS = 10 * MINUTE_MS;
/** History by the hour; of what is younger, by five minutes. */
const LONG = { windowMs: 14 * DAY_MS, stepMs: HOUR_MS };
const SHORT = { windowMs: 2 * DAY_MS, stepMs: 5 * MINUTE_MS };
const LEAST_LONG_POINTS = 72;

const fixed = (name: string, expr: string, unit: string, more: Partial<Resource> = {}): Resource => ({
  name,
  expr,
  unit,
  limit: null,
  side: 'above',
  leaks: false,
  sized: false,
  ...more,
});
const ofHundred = { limit: 100, sized: true };

/** What is there to run out of wherever it is measured. Expressions without data cost a look at the index. */
function shipped(aliases: readonly MetricAlias[]): readonly Resource[] {
  const known = new Map(aliases.map((alias) => [alias.name, alias.expr]));
  const named = (name: string, metric: string, more: Partial<Resource>): readonly Resource[] => {
    const expr = known.get(metric);
    return expr === undefined ? [] : [fixed(name, expr, 'percent', more)];
  };
  return [
    ...named('disk', 'system.disk.percent', ofHundred),
    ...named('memory', 'system.memory.percent', { ...ofHundred, leaks: true }),
    ...named('CPU', 'system.cpu.percent', ofHundred),
    ...named('file descriptors', 'system.file_descriptors.percent', { ...ofHundred, leaks: true }),
    fixed('inodes', '100 * (1 - node_filesystem_files_free / (node_filesystem_files > 0))', 'percent', { limit: 100 }),
    fixed('data directory', '100 * (1 - nines_data_available_bytes / (nines_data_size_bytes > 0))', 'percent', ofHundred),
    fixed('state database', 'nines_state_bytes', 'bytes'),
    fixed('stored samples', 'nines_store_page_bytes + nines_store_rollup_bytes + nines_store_log_bytes', 'bytes'),
    fixed('process memory', 'process_resident_memory_bytes', 'bytes', { leaks: true }),
    fixed('process file descriptors', '100 * process_open_fds / (process_max_fds > 0)', 'percent', { ...ofHundred, leaks: true }),
    fixed('database', 'pg_database_size_bytes', 'bytes'),
  ];
}

/** What fills up and when, of everything that is measured here. Found in threads when somebody asks, and kept for ten minutes. */
export class CapacityTableService {
  readonly #deps: CapacityTableDeps;
  #kept: CapacityTable | undefined;
  #running: Promise<CapacityTable> | undefined;

  constructor(deps: CapacityTableDeps) {
    this.#deps = deps;
  }

  /** The next to ask gets a new one: what is watched has changed. */
  forget(): void {
    this.#kept = undefined;
  }

  async table(scope: Scope): Promise<CapacityTable> {
    const table = await this.#fresh();
    return { ...table, items: table.items.filter(({ labels }) => visible(scope, labels)) };
  }

  async #fresh(): Promise<CapacityTable> {
    const kept = this.#kept;
    if (kept !== undefined && this.#deps.clock.now() - kept.generated_at_ms < KEPT_MS) return kept;
    this.#running ??= this.#make().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #make(): Promise<CapacityTable> {
    const { aliases, watches, clock, logger } = this.#deps;
    const watched = watches().flatMap(({ name, expr, unit, limit, side }) =>
      limit === undefined ? [] : [fixed(name, expr, unit, { limit, side })],
    );
    const items: CapacityRow[] = [];
    const notes: string[] = [];
    for (const resource of [...watched, ...shipped(aliases.list)]) {
      try {
        const rows = await this.#rowsOf(resource, MAX_ROWS - items.length);
        items.push(...rows.items);
        if (rows.left > 0) notes.push(`${resource.name}: ${rows.left} series more than the ${MAX_ROWS} lines of the table hold`);
      } catch (thrown) {
        logger.warn('a line of the capacity table was not found', { resource: resource.name, error: messageOf(thrown) });
        notes.push(`${resource.name}: ${messageOf(thrown)}`);
      }
    }
    this.#kept = { items: items.sort(byUrgency), generated_at_ms: clock.now(), window_ms: LONG.windowMs, notes };
    return this.#kept;
  }

  async #rowsOf(resource: Resource, room: number): Promise<{ readonly items: readonly CapacityRow[]; readonly left: number }> {
    const long = await this.#points(resource.expr, LONG);
    const isYoung = long.some(({ points }) => points.length < LEAST_LONG_POINTS);
    const short = new Map(isYoung ? (await this.#points(resource.expr, SHORT)).map((one) => [one.key, one]) : []);
    const items: CapacityRow[] = [];
    for (const one of long.slice(0, room)) {
      const younger = one.points.length < LEAST_LONG_POINTS ? short.get(one.key) : undefined;
      // Few points are of what is young, or of what is measured a few times a day.
      const { labels, points } = younger !== undefined && younger.points.length > one.points.length ? younger : one;
      const { limit, side, leaks, sized, expr, unit } = resource;
      const found = await this.#deps.ask('capacity_row', { points, limit, side, leaks, sized, unit });
      items.push({ name: nameOf(resource.name, labels), expr, labels, unit, limit, side, ...found });
    }
    return { items, left: Math.max(0, long.length - room) };
  }

  async #points(expr: string, { windowMs, stepMs }: { readonly windowMs: number; readonly stepMs: number }) {
    // Up to now and not to a round hour: what is an hour old has a line that says how little that is.
    const toMs = Math.floor(this.#deps.clock.now() / MINUTE_MS) * MINUTE_MS;
    const found = await this.#deps.samples.range(expr, { fromMs: toMs - windowMs, toMs, stepMs }, { wholeSteps: true });
    return found.map(({ labels, times, values }) => ({
      key: JSON.stringify(labels),
      labels: withoutName(labels),
      points: Array.from(times, (atMs, i): [number, number] => [atMs, values[i] ?? Number.NaN]).filter(
        ([, value]) => Math.abs(value) <= LARGEST,
      ),
    }));
  }
}

function withoutName(labels: Labels): Record<string, string> {
  const { [METRIC_NAME]: _, ...rest } = labelsToRecord(labels);
  return rest;
}

/** `disk /var of db1`: what tells one line from its neighbours, in the order people say it. */
function nameOf(name: string, labels: Readonly<Record<string, string>>): string {
  const what = labels['mountpoint'] ?? labels['datname'] ?? (name.startsWith('process') ? labels['job'] : undefined);
  const where = labels['instance'] ?? labels['service'];
  return [name, ...(what === undefined ? [] : [what]), ...(where === undefined ? [] : [`of ${where}`])].join(' ');
}

/** Crossed limits, then by days, then what leaks or is too small, then the rest by name. */
function byUrgency(one: CapacityRow, other: CapacityRow): number {
  const [a, b] = [urgency(one), urgency(other)];
  return a === b ? (one.name < other.name ? -1 : 1) : a - b;
}

const LEAKS = 1e6;
const TOO_SMALL = 2e6;
const REST = { grows: 3e6, unclear: 4e6, shrinks: 5e6, steady: 5e6, refused: 6e6 } as const;
function urgency({ days, leak, right_size: size, state }: CapacityRow): number {
  if (days !== null) return days;
  if (leak?.state === 'leaks') return LEAKS;
  if (size?.advice === 'too_small') return TOO_SMALL;
  return REST[state];
}
