import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { runScript } from '../testing/run-script.ts';

const folder = join(import.meta.dirname, '../testdata');
/** Scripts of what the server does by default: names are dropped by each function. */
const atOnce = join(folder, 'names-at-once');

describe('scripts', () => {
  const all = [folder, atOnce].flatMap((from) =>
    readdirSync(from)
      .filter((name) => name.endsWith('.test'))
      .map((name) => ({ from, name })),
  );
  for (const { from, name } of all)
    test(`${name} passes`, async () => {
      const features = { delayedNameRemoval: from !== atOnce };
      const { passed, failures } = await runScript(readFileSync(join(from, name), 'utf8'), features);
      assert.deepEqual(
        failures.map(({ line, message }) => `${name}:${line}: ${message}`),
        [],
      );
      assert.ok(passed > 0);
    });

  test('a script with a wrong expectation fails at its line', async () => {
    const script = 'load 1m\n  a 1 2\n\neval instant at 0 a\n  a 1\n\neval instant at 1m a\n  a 1\n';
    const { passed, failures } = await runScript(script);
    assert.equal(passed, 1);
    assert.deepEqual(
      failures.map(({ line }) => line),
      [7],
    );
  });
});
