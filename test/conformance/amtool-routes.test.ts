/** Random label sets take the same way through random trees as in Alertmanager, and random time intervals are taken or refused as there, by the word of amtool. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { routingConfig } from '@nines/server/notify/config.ts';
import { createRoutes } from '@nines/server/notify/route.ts';
import { routingOf } from '@nines/server/notify/written.ts';
import fc from 'fast-check';

/** amtool takes one label set at a time. */
const SETS_PER_TREE = 5;
const TREES = process.env['NINES_FULL'] === '1' ? 2_000 : 12;
const run = promisify(execFile);

const NAMES = ['team', 'severity', 'service', 'a'];
const VALUES = ['', 'db', 'web', 'critical', 'x y', 'ü"\\'];
const PATTERNS = ['db|web', '.*', '.+', 'crit.*', '', '[dw].b', 'x y'];
const RECEIVERS = ['r0', 'r1', 'r2', 'r3'];
const NAMED = ['root', ...RECEIVERS].map((name) => ({ name }));
const INTERVALS = [{ name: 'nights', time_intervals: [{ times: [{ start_time: '20:00', end_time: '24:00' }] }] }];

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
      mute_time_intervals: fc.subarray(['nights']),
      active_time_intervals: fc.subarray(['nights']),
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
        const routes = createRoutes(routingConfig.parse({ tree: route }));
        writeFileSync(file, JSON.stringify({ route, receivers: NAMED, time_intervals: INTERVALS }));
        for (const set of sets) {
          const args = Object.entries(set).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
          const { stdout } = await run('amtool', ['config', 'routes', 'test', `--config.file=${file}`, ...args]);
          assert.equal(
            routes
              .matching(set)
              .map(({ receiver }) => receiver)
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

const range = (member: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    member,
    fc.tuple(member, member).map((ends) => ends.join(':')),
  );
const number = (min: number, max: number): fc.Arbitrary<string> => fc.integer({ min, max }).map(String);
const time = fc.oneof(
  fc
    .tuple(fc.integer({ min: 0, max: 24 }), fc.integer({ min: 0, max: 60 }))
    .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(':')),
  fc.constantFrom('9:00', '24:00', '', 'noon'),
);
const few = (text: fc.Arbitrary<string>) => fc.array(text, { minLength: 1, maxLength: 2 });
const interval = fc.record(
  {
    times: fc.array(fc.record({ start_time: time, end_time: time }), { minLength: 1, maxLength: 1 }),
    weekdays: few(range(fc.constantFrom('monday', 'Tuesday', 'friday', 'sunday', 'mon', '1'))),
    days_of_month: few(range(fc.oneof(number(-32, 32), fc.constantFrom('+3', 'x', '')))),
    months: few(range(fc.oneof(number(1, 12), fc.constantFrom('january', 'May', 'dec')))),
    years: few(range(fc.oneof(number(2020, 2030), fc.constantFrom('then')))),
    location: fc.constantFrom('', 'UTC', 'Local', 'Europe/Berlin', 'Europe/Nowhere', '+02:00'),
  },
  { requiredKeys: [] },
);

test('time intervals are taken or refused as amtool does, and are written so that it reads them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'amtool-'));
  const file = join(folder, 'alertmanager.yml');
  const takes = async (text: string): Promise<boolean> => {
    writeFileSync(file, text);
    return run('amtool', ['check-config', file]).then(
      () => true,
      () => false,
    );
  };
  try {
    const property = fc.asyncProperty(fc.array(interval, { minLength: 1, maxLength: 2 }), async (intervals) => {
      const named = [{ name: 'it', time_intervals: intervals }];
      const written = { route: { receiver: 'root' }, receivers: NAMED, time_intervals: named };
      const parsed = routingConfig.safeParse({ tree: written.route, time_intervals: named, receivers: [{ name: 'root', channels: [] }] });
      assert.equal(parsed.success, await takes(JSON.stringify(written)), `${JSON.stringify(intervals)} ${parsed.error?.message}`);
      if (parsed.success) assert.ok(await takes(routingOf({ routing: parsed.data, channels: [] }).written));
    });
    await fc.assert(property, { numRuns: process.env['NINES_FULL'] === '1' ? 2_000 : 60 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
