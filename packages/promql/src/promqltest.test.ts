import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { runScript } from '../testing/run-script.ts';

const folder = join(import.meta.dirname, '../testdata');

describe('scripts', () => {
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.test')))
    test(`${name} passes`, async () => {
      const { passed, failures } = await runScript(readFileSync(join(folder, name), 'utf8'));
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
