import assert from 'node:assert/strict';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { mustMatcher } from '@nines/base/matcher.ts';
import { epochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import { KEY_BYTES, SEAL_BYTES, createCipher, seal } from './cipher.ts';
import { type Store, type StoreOptions, WINDOW_MS } from './contract.ts';
import { openStore } from './store.ts';
import { FaultDisk } from './testing/fault-disk.ts';
import { DAY, ENCRYPTED_VARIABLE, type Sample, T0, append, collectingLogger, contentsOf, openOnFaultDisk } from './testing/samples.ts';

// Everything a store promises, promised again by an encrypted one: crashes, damage, the model, kills.
process.env[ENCRYPTED_VARIABLE] = '1';
for (const suite of ['store', 'store-crash', 'store-damage', 'store-kill', 'store-model']) await import(`./${suite}.test.ts`);

const cipherOf = (byte: number): StoreOptions['cipher'] => createCipher(new Uint8Array(KEY_BYTES).fill(byte));
const nothing = new Uint8Array(0);

async function withDirectory(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'nines-sealed-'));
  try {
    await run(dir);
  } finally {
    await fs.rm(dir, { recursive: true });
  }
}

const open = (dir: string, cipher: StoreOptions['cipher']): Promise<Store> =>
  openStore({ dir, retentionMs: 30 * DAY, logger: collectingLogger(), cipher });

test('what was sealed opens with the same key, purpose and place only, and not with any bit flipped', () => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(bytes, fc.uint8Array({ maxLength: 20 }), fc.nat(), (plain, bound, bit) => {
      const key = createCipher(new Uint8Array(KEY_BYTES).fill(1)).key('a');
      const sealed = seal(key, plain, bound);
      assert.equal(sealed.length, plain.length + SEAL_BYTES);
      assert.deepEqual(new Uint8Array(key.open(sealed, bound) ?? []), plain);
      assert.equal(createCipher(new Uint8Array(KEY_BYTES).fill(1)).key('b').open(sealed, bound), undefined);
      assert.equal(createCipher(new Uint8Array(KEY_BYTES).fill(2)).key('a').open(sealed, bound), undefined);
      assert.equal(key.open(sealed, Uint8Array.of(...bound, 1)), undefined);
      const at = bit % (sealed.length * 8);
      const flipped = sealed.slice();
      flipped[at >> 3] = (flipped[at >> 3] ?? 0) ^ (1 << (at & 7));
      assert.equal(key.open(flipped, bound), undefined);
      assert.equal(key.open(sealed.subarray(0, sealed.length - 1), bound), undefined);
    }),
  );
});

test('the same thing sealed often never has the same nonce', () => {
  const key = createCipher(new Uint8Array(KEY_BYTES)).key('a');
  const nonces = new Set(Array.from({ length: 20_000 }, () => Buffer.from(seal(key, nothing, nothing)).toString('hex', 0, 12)));
  assert.equal(nonces.size, 20_000);
});

/** Texts and values that no disk would hold by chance. */
const planted = { __name__: 'planted_metric_name', customer: 'planted-label-value-4711' };
const PLANTED_BITS = 0x4123_4567_89ab_cdefn;

test('no label, no metric name and no value can be read in any file, at any time', async () => {
  await withDirectory(async (dir) => {
    const needles = [...Object.values(planted), 'planted_', 'customer'].map((text) => Buffer.from(text));
    const value = Buffer.alloc(8);
    value.writeBigUInt64LE(PLANTED_BITS);
    needles.push(value);
    const look = async (when: string): Promise<void> => {
      const names = await fs.readdir(dir);
      assert.ok(names.includes('pages.db'));
      for (const name of names) {
        const bytes = await fs.readFile(path.join(dir, name));
        for (const needle of needles) assert.equal(bytes.indexOf(needle), -1, `${needle.toString()} stands in ${name} ${when}`);
      }
    };
    const store = await open(dir, cipherOf(3));
    const samples = (from: number): Sample[] =>
      Array.from({ length: 50 }, (_, i) => ({ series: planted, atMs: from + i * 1000, bits: i % 2 === 0 ? PLANTED_BITS : BigInt(i) }));
    await append(store, samples(T0), epochMs(T0 + 60_000));
    await look('in the log');
    await store.flush(epochMs(T0 + 2 * WINDOW_MS));
    await append(store, samples(T0 + 3 * WINDOW_MS), epochMs(T0 + 3 * WINDOW_MS + 60_000));
    await store.deleteSeries([mustMatcher('customer', '=', planted.customer)], { fromMs: T0, toMs: T0 + 5_000 });
    await look('on pages and in the checkpoint');
    await store.close();
    await look('after closing');
    const again = await open(dir, cipherOf(3));
    assert.equal([...(await contentsOf(again)).values()][0]?.size, 94);
    await again.close();
  });
});

for (const [what, written, wrong, words] of [
  ['a plain store refuses encrypted data', cipherOf(3), undefined, 'is encrypted'],
  ['an encrypted store refuses plain data', undefined, cipherOf(3), 'is not encrypted'],
] as const) {
  for (const place of ['log', 'pages'] as const) {
    test(`${what} in the ${place}, and leaves it whole`, async () => {
      await withDirectory(async (dir) => {
        const store = await open(dir, written);
        await append(store, [{ series: planted, atMs: T0, bits: 1n }], T0);
        if (place === 'pages') await store.flush(T0, { all: true });
        await store.close();
        await assert.rejects(
          open(dir, wrong),
          (thrown: Error) =>
            thrown.name === 'StoreUnavailable' && thrown.message.includes(words) && !thrown.message.includes(planted.customer),
        );
        const again = await open(dir, written);
        assert.deepEqual([...(await contentsOf(again)).values()], [new Map([[T0, 1n]])]);
        const { tornTails, corruptFrames, corruptPages } = again.stats().damage;
        assert.deepEqual([tornTails, corruptFrames, corruptPages], [0, 0, 0]);
        await again.close();
      });
    });
  }
}

test('a frame moved to another place or another file is damage, not data', async () => {
  const disk = new FaultDisk();
  const store = await openOnFaultDisk(disk);
  for (let k = 0; k < 2; k++) await append(store, [{ series: planted, atMs: T0 + k, bits: 1n }], T0);
  disk.crash();
  const bytes = await disk.read('log-00000001');
  const copy = await disk.create('log-00000002');
  await copy.append(bytes);
  const again = await openOnFaultDisk(disk);
  const { damage } = again.stats();
  assert.deepEqual([damage.tornTails, [...(await contentsOf(again)).values()][0]?.size], [1, 2]);
  await again.close();
});
