import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { epochMs } from '@nines/base/units.ts';
import type { AppendFile } from './contract.ts';
import { FaultDisk } from './testing/fault-disk.ts';
import { DAY, T0, append, bitsOfNumber, contentsOf, keyOf, openOnFaultDisk } from './testing/samples.ts';

const UP = { __name__: 'up', host: 'a' };
const SECOND = 1_000;
/** Turns of the event loop that a store which does not wait for the disk would have used to acknowledge. */
const TURNS = 50;

/** Each sync waits until it is let go. */
class SlowDisk extends FaultDisk {
  #letGo: (() => void)[] = [];
  slow = false;

  override async create(name: string): Promise<AppendFile> {
    const file = await super.create(name);
    return {
      ...file,
      sync: async () => {
        if (this.slow) await new Promise<void>((resolve) => this.#letGo.push(resolve));
        await file.sync();
      },
    };
  }

  get waiting(): number {
    return this.#letGo.length;
  }

  /** The syncs that wait now; those that follow wait again while it is slow. */
  syncOnce(): void {
    for (const letGo of this.#letGo.splice(0)) letGo();
  }
}

async function turns(): Promise<void> {
  for (let i = 0; i < TURNS; i++) await nextTurn();
}

test('on a slow disk acknowledgements wait for their sync, queries do not, and a power cut takes nothing acknowledged', async () => {
  const disk = new SlowDisk();
  let store = await openOnFaultDisk(disk);
  const write = (i: number) =>
    append(store, [{ series: UP, atMs: T0 + i * SECOND, bits: bitsOfNumber(i) }], epochMs(T0 + i * SECOND)).then(
      () => void acknowledged.add(i),
    );
  const acknowledged = new Set<number>();
  const has = async (i: number): Promise<boolean> => (await contentsOf(store)).get(keyOf(UP))?.get(T0 + i * SECOND) === bitsOfNumber(i);
  await write(0);

  disk.slow = true;
  const first = write(1);
  await turns();
  const others = [2, 3, 4, 5].map(write);
  await turns();
  assert.ok(disk.waiting > 0, 'a sync is under way');
  assert.deepEqual([...acknowledged], [0]);
  assert.ok(await has(0), 'a query is answered meanwhile');

  disk.syncOnce();
  await first;
  assert.ok(acknowledged.has(1));
  await turns();
  assert.ok(!acknowledged.has(5), 'what came during a sync waits for the next one');

  disk.slow = false;
  disk.syncOnce();
  await Promise.all(others);
  assert.deepEqual(acknowledged, new Set([0, 1, 2, 3, 4, 5]));

  disk.slow = true;
  const lost = write(6);
  const failed = assert.rejects(lost);
  await turns();
  assert.ok(!acknowledged.has(6));
  disk.failWith = 'EIO';
  disk.slow = false;
  disk.syncOnce();
  await failed;
  disk.failWith = undefined;
  disk.crash();
  store = await openOnFaultDisk(disk);
  for (const i of acknowledged) assert.ok(await has(i), `sample ${i} was acknowledged`);
  await append(store, [{ series: UP, atMs: T0 + DAY, bits: 1n }], epochMs(T0 + DAY));
  await store.close();
});
