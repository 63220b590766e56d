import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import { FaultDisk } from './testing/fault-disk.ts';
import { DAY, T0, append, bitsOfNumber, contentsOf, openOnFaultDisk } from './testing/samples.ts';

/** Pods that live for a day: every day all series are new, but for a few that stay. */
const FULL = process.env['NINES_FULL'] === '1';
const PER_DAY = FULL ? 5_000 : 400;
const STAY = 20;
const DAYS = FULL ? 400 : 40;
const RETAINED_DAYS = 2;

test('series that leave cost nothing once retention has taken their samples, over many days and a restart', async () => {
  const disk = new FaultDisk();
  const options = { retentionMs: RETAINED_DAYS * DAY };
  let store = await openOnFaultDisk(disk, options);
  const settled = { index: 0, head: 0 };
  for (let day = 0; day < DAYS; day++) {
    for (const hour of [1, 9, 17]) {
      const nowMs = epochMs(T0 + day * DAY + hour * 3_600_000);
      const passing = Array.from({ length: PER_DAY }, (_, n) => ({ __name__: 'http_requests_total', pod: `web-${day}-${n}`, job: 'web' }));
      const staying = Array.from({ length: STAY }, (_, n) => ({ __name__: 'up', instance: `host-${n}` }));
      const outcome = await append(
        store,
        [...passing, ...staying].map((series) => ({ series, atMs: nowMs, bits: bitsOfNumber(hour) })),
        nowMs,
      );
      assert.equal(outcome.refusedCount, 0);
      await store.flush(nowMs);
    }
    await store.deleteBefore(epochMs(T0 + (day + 1 - RETAINED_DAYS) * DAY));
    const { series, indexBytes, headBytes } = store.stats();
    assert.ok(series <= (RETAINED_DAYS + 1) * PER_DAY + STAY, `${series} series on day ${day}`);
    if (day === 6) {
      settled.index = indexBytes;
      settled.head = headBytes;
    }
  }
  const { indexBytes, headBytes } = store.stats();
  assert.ok(indexBytes <= 1.3 * settled.index, `index: ${settled.index} bytes on day 6, ${indexBytes} at the end`);
  assert.ok(headBytes <= 1.3 * settled.head, `head: ${settled.head} bytes on day 6, ${headBytes} at the end`);

  const before = await contentsOf(store);
  await store.close();
  store = await openOnFaultDisk(disk, options);
  const reopened = store.stats();
  assert.ok(reopened.indexBytes <= indexBytes && reopened.headBytes <= headBytes);
  assert.deepEqual(await contentsOf(store), before);
  await store.close();
});
