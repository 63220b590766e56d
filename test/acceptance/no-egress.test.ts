/** No outbound call without a configured target: a day of a whole server in a network of its own, whose kernel counts. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { DAY_MS } from '@nines/base/units.ts';
import { HOUSE } from '../harness/nines.ts';

type Day = {
  readonly found: readonly string[];
  readonly opened: number;
  readonly datagrams: number;
  readonly withoutRoute: number;
  readonly seen: { readonly went: boolean; readonly opened: number };
  readonly passed: number;
};

const NETWORK = ['-rn', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"'];
/** Where no user may make a network, only what Node is asked to do is looked at. */
const hasNetwork = spawnSync('unshare', [...NETWORK, 'true']).status === 0;

async function aDayOf(t: TestContext, config?: string): Promise<Day> {
  const folder = mkdtempSync(join(tmpdir(), 'nines-egress-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const child = [
    process.execPath,
    join(HOUSE, 'test/acceptance/egress/day.ts'),
    join(folder, 'data'),
    ...(config === undefined ? [] : [config]),
  ];
  const [program = '', ...args] = hasNetwork ? ['unshare', ...NETWORK, ...child] : child;
  const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 16_000_000 });
  const day = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Day;
  assert.equal(day.passed, DAY_MS);
  assert.equal(day.seen.went, true, 'the watch sees an attempt');
  if (hasNetwork) assert.equal(day.seen.opened, 1, 'the kernel counts an attempt');
  return day;
}

test('without a configuration nothing leaves in a day: no connection, no datagram, no question to a name server', async (t) => {
  const day = await aDayOf(t);
  assert.deepEqual(day.found, []);
  if (hasNetwork) assert.deepEqual([day.opened, day.datagrams, day.withoutRoute], [0, 0, 0]);
});

test('with the example configuration only what it names is asked', async (t) => {
  const day = await aDayOf(t, join(HOUSE, 'examples/nines.yml'));
  assert.deepEqual(day.found, ['127.0.0.1:5432', '127.0.0.1:9998', '127.0.0.1:9999']);
  if (hasNetwork) assert.deepEqual([day.opened > 0, day.datagrams, day.withoutRoute], [true, 0, 0]);
});
