import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openStore } from './store.ts';
import { T0, bitsOfNumber, collectingLogger, contentsOf, keyOf, testCipher } from './testing/samples.ts';

const CHILD = fileURLToPath(new URL('testing/crash-child.ts', import.meta.url));
const KILLS = process.env['NINES_FULL'] === '1' ? 500 : 6;

/** Runs the writer until it has acknowledged `lines` groups and a little longer, kills it, returns the counters acknowledged. */
async function runAndKill(dir: string, from: number, lines: number): Promise<number[]> {
  const child = spawn(process.execPath, [CHILD, dir, String(from)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  let seen = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    seen += chunk.toString().split('\n').length - 1;
    if (seen >= lines) child.kill('SIGKILL');
  });
  const [code, signal] = await once(child, 'close');
  assert.equal(signal, 'SIGKILL', `the writer ended by itself with ${code}`);
  const whole = output.slice(0, output.lastIndexOf('\n') + 1);
  return [...whole.matchAll(/^(\d+) (\d+)$/gm)].flatMap(([, first, last]) => {
    const counters: number[] = [];
    for (let i = Number(first); i <= Number(last); i++) counters.push(i);
    return counters;
  });
}

test(`a writer killed ${KILLS} times loses no acknowledged sample and doubles none`, async () => {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'nines-kill-'));
  try {
    const acknowledged = new Set<number>();
    let from = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      for (const counter of await runAndKill(dir, from, 20 + ((kill * 37) % 90))) acknowledged.add(counter);
      const store = await openStore({ dir, retentionMs: 1e12, logger: collectingLogger(), cipher: testCipher() });
      const contents = await contentsOf(store);
      for (const name of ['c', 'd']) {
        const held = contents.get(keyOf({ __name__: name })) ?? new Map<number, bigint>();
        for (const counter of acknowledged)
          assert.equal(held.get(T0 + counter * 20_000), bitsOfNumber(counter), `sample ${counter} of ${name}`);
        for (const [atMs, bits] of held) assert.equal(bits, bitsOfNumber((atMs - T0) / 20_000));
        for (const atMs of held.keys()) from = Math.max(from, (atMs - T0) / 20_000 + 1);
      }
      const { corruptFrames, corruptPages, orphanSamples } = store.stats().damage;
      assert.deepEqual([corruptFrames, corruptPages, orphanSamples], [0, 0, 0]);
      await store.close();
    }
    assert.ok(acknowledged.size > KILLS * 50);
  } finally {
    await fs.rm(dir, { recursive: true });
  }
});
