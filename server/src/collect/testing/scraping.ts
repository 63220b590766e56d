import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDiscover } from '../../discover/service.ts';
import { realClock } from '../../platform/clock.ts';
import { createOutbound } from '../../platform/fetch/outbound.ts';
import { type ScrapeManager, createScrapeManager } from '../scrape/manager.ts';
import { readPrometheusFile } from '../scrape/prometheus-file.ts';
import { type World, openWorld } from './world.ts';

export type Scraping = AsyncDisposable & {
  readonly folder: string;
  readonly manager: ScrapeManager;
  readonly world: World;
  /** Another text of the configuration file. */
  reconfigure(text: string): Promise<void>;
};

/** Scrapes what the configuration says, into a store of its own. */
export async function scraping(text: (folder: string) => string): Promise<Scraping> {
  const world = await openWorld(realClock);
  const outbound = createOutbound({ clock: realClock });
  const discover = createDiscover({ ...world, clock: realClock, outbound });
  const manager = createScrapeManager({ ...world, metrics: world.self, clock: realClock, outbound, discover, yieldNow: () => undefined });
  const reconfigure = async (next: string): Promise<void> => {
    const file = join(world.folder, 'prometheus.yml');
    writeFileSync(file, next);
    const read = readPrometheusFile(file);
    assert.deepEqual(read.problems, []);
    await manager.apply(read.file === undefined ? [] : [read.file]);
  };
  await reconfigure(text(world.folder));
  return {
    folder: world.folder,
    manager,
    world,
    reconfigure,
    [Symbol.asyncDispose]: async () => {
      for (const part of [manager, discover, outbound, world]) await part[Symbol.asyncDispose]();
    },
  };
}
