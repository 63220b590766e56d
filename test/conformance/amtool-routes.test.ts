/** Random label sets take the same way through random trees as in Alertmanager, by the word of amtool. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { routingConfig } from '@nines/server/notify/config.ts';
import { createRouter } from '@nines/server/notify/route.ts';
import fc from 'fast-check';

/** amtool takes one label set at a time. */
const SETS_PER_TREE = 5;
const TREES = process.env['NINES_FULL'] === '1' ? 2_000 : 12;
const run = promisify(execFile);

const NAMES = ['team', 'severity', 'service', 'a'];
const VALUES = ['', 'db', 'web', 'critical', 'x y', 'ü"\\'];
const PATTERNS = ['db|web', '.*', '.+', 'crit.*', '', '[dw].b', 'x y'];
const RECEIVERS = ['r0', 'r1', 'r2', 'r3'];

const matcher = fc
  .tuple(fc.constantFrom(...NAMES), fc.constantFrom('=', '!=', '=~', '!~'), fc.constantFrom(...VALUES), fc.constantFrom(...PATTERNS))
  .map(([name, op, value, pattern]) => `${name}${op}${JSON.stringify(op.includes('~') ? pattern : value)}`);
type Route = { readonly [key: string]: unknown };
const branch = (depth: number): fc.Arbitrary<Route> =>
  fc.record(
    {
      receiver: fc.constantFrom(...RECEIVERS),
      matchers: fc.array(matcher, { minLength: 1, maxLength: 2 }),
      match: fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom('db', 'web'), { maxKeys: 1 }),
      match_re: fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom(...PATTERNS), { maxKeys: 1 }),
      continue: fc.boolean(),
      ...(depth > 0 ? { routes: fc.array(branch(depth - 1), { maxLength: 3 }) } : {}),
    },
    { requiredKeys: [] },
  );
const tree = fc.array(branch(2), { minLength: 1, maxLength: 4 }).map((routes): Route => ({ receiver: 'root', routes }));
const labels = fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom(...VALUES.filter((value) => value !== '')), { maxKeys: 4 });

test('routing decides as amtool does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'amtool-'));
  const file = join(folder, 'alertmanager.yml');
  try {
    const property = fc.asyncProperty(
      tree,
      fc.array(labels, { minLength: SETS_PER_TREE, maxLength: SETS_PER_TREE }),
      async (route, sets) => {
        const router = createRouter(routingConfig.parse({ tree: route }));
        writeFileSync(file, JSON.stringify({ route, receivers: ['root', ...RECEIVERS].map((name) => ({ name })) }));
        for (const set of sets) {
          const args = Object.entries(set).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
          const { stdout } = await run('amtool', ['config', 'routes', 'test', `--config.file=${file}`, ...args]);
          assert.equal(
            router(set)
              .map(({ channel }) => channel)
              .join(','),
            stdout.trim(),
            JSON.stringify(set),
          );
        }
      },
    );
    await fc.assert(property, { numRuns: TREES });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
