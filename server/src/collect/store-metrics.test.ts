import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { labelsOf } from '@nines/model/labels.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { watchStore } from './store-metrics.ts';
import { openWorld, selfValue } from './testing/world.ts';

test('the store’s own figures are served, counted out once for all of them', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  let counts = 0;
  const stats = () => {
    counts++;
    return world.store.stats();
  };
  watchStore(world.self, clock, { stats, encrypted: false, dataDir: tmpdir() });
  assert.equal(selfValue(world.self, 'nines_store_series'), 0);
  await world.ingest.appendSamples([{ labels: labelsOf({ __name__: 'a' }), atMs: clock.now(), value: 1 }]);
  assert.equal(selfValue(world.self, 'nines_store_series'), 0, 'still the count of this second');
  await clock.advance(1_000);
  assert.equal(selfValue(world.self, 'nines_store_series'), 1);
  assert.ok((selfValue(world.self, 'nines_store_log_bytes') ?? 0) > 0);
  assert.equal(selfValue(world.self, 'nines_store_corrupt_pages_total'), 0);
  assert.equal(counts, 2);
  const [size = 0, available = 0] = ['nines_data_size_bytes', 'nines_data_available_bytes'].map((name) => selfValue(world.self, name));
  assert.ok(size > 0 && available <= size, 'the room where the data lie');
  assert.equal(selfValue(world.self, 'nines_state_bytes'), 0, 'no state database there');
});
