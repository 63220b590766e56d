import { type StatsFs, statSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@nines/base/clock.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import { STATE_FILE } from '../platform/directory.ts';
import type { Damage, StoreStats } from '@nines/tsdb/contract.ts';
import type { SelfMetrics } from './contract.ts';

const GAUGES: readonly (readonly [name: string, help: string, read: (figures: StoreStats) => number])[] = [
  ['nines_store_series', 'Series known.', ({ series }) => series],
  ['nines_store_head_series', 'Series with samples in memory.', ({ headSeries }) => headSeries],
  ['nines_store_head_samples', 'Samples in memory.', ({ headSamples }) => headSamples],
  ['nines_store_head_bytes', 'Memory of the samples in memory.', ({ headBytes }) => headBytes],
  ['nines_store_index_bytes', 'Memory of the index.', ({ indexBytes }) => indexBytes],
  ['nines_store_pages', 'Pages on disk.', ({ pages }) => pages],
  ['nines_store_page_samples', 'Samples in pages.', ({ pageSamples }) => pageSamples],
  ['nines_store_page_bytes', 'Bytes of the pages.', ({ pageBytes }) => pageBytes],
  ['nines_store_rollup_pages', 'Pages of rollups on disk.', ({ rollupPages }) => rollupPages],
  ['nines_store_rollup_bytes', 'Bytes of the pages of rollups.', ({ rollupBytes }) => rollupBytes],
  ['nines_store_log_bytes', 'Bytes of the log.', ({ logBytes }) => logBytes],
];
const DAMAGE: readonly (readonly [name: string, help: string, read: (damage: Damage) => number])[] = [
  ['nines_store_torn_tails_total', 'Ends of log segments that were cut because a crash tore them.', ({ tornTails }) => tornTails],
  ['nines_store_torn_bytes_total', 'Bytes that were cut with them.', ({ tornBytes }) => tornBytes],
  ['nines_store_corrupt_frames_total', 'Frames of the log that could not be read.', ({ corruptFrames }) => corruptFrames],
  ['nines_store_corrupt_pages_total', 'Pages that could not be read.', ({ corruptPages }) => corruptPages],
  ['nines_store_orphan_samples_total', 'Samples of the log whose series was lost.', ({ orphanSamples }) => orphanSamples],
];

/** Registers the store's figures. They are counted out by walking the index, so one count serves all for a second. */
export function watchStore(
  metrics: SelfMetrics,
  clock: Pick<Clock, 'monotonic'>,
  { stats, encrypted, dataDir }: { readonly stats: () => StoreStats; readonly encrypted: boolean; readonly dataDir: string },
): void {
  let known: { readonly atMs: number; readonly figures: StoreStats } | undefined;
  const figures = (): StoreStats => {
    const nowMs = clock.monotonic();
    if (known === undefined || nowMs - known.atMs >= SECOND_MS) known = { atMs: nowMs, figures: stats() };
    return known.figures;
  };
  for (const [name, help, read] of GAUGES) metrics.watch(name, help, () => read(figures()));
  for (const [name, help, read] of DAMAGE) metrics.watch(name, help, () => read(figures().damage), 'counter');
  metrics.watch('nines_store_encrypted', 'Whether what is stored is encrypted at rest (1) or not (0).', () => (encrypted ? 1 : 0));
  watchSpace(metrics, dataDir);
}

/** Where the data lie: the room of their file system, and what the state database takes of it (0 when it is elsewhere). */
function watchSpace(metrics: SelfMetrics, dataDir: string): void {
  const room = (read: (room: StatsFs) => number) => (): number => read(statfsSync(dataDir));
  metrics.watch('nines_data_size_bytes', 'Size of the file system that holds the data directory.', room(sizeOf));
  metrics.watch(
    'nines_data_available_bytes',
    'Of it, what can still be written.',
    room(({ bavail, bsize }) => bavail * bsize),
  );
  metrics.watch('nines_state_bytes', 'Size of the state database in the data directory, its log included.', () => stateBytes(dataDir));
}

/** As df has it: what is kept for the administrator counts neither as used nor as free. */
const sizeOf = ({ blocks, bfree, bavail, bsize }: StatsFs): number => (blocks - bfree + bavail) * bsize;

const stateBytes = (dataDir: string): number =>
  ['', '-wal', '-shm'].reduce(
    (sum, end) => sum + (statSync(join(dataDir, `${STATE_FILE}${end}`), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
