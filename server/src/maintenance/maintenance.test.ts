import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS, epochMs } from '@nines/base/units.ts';
import { forEachDatabase } from '../../../test/harness/databases.ts';
import { countingIds } from '../../../test/harness/ids.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { type Fact, createBus } from '../platform/bus.ts';
import type { ServiceEntry } from '../services/contract.ts';
import { maintenanceConfig, maintenanceSchema, unknownMaintained } from './contract.ts';
import { MaintenanceService } from './service.ts';

const START_MS = Date.UTC(2026, 9, 24, 20);
const nightly = { id: 'nightly', services: ['shop'], cron: '30 2 * * *', zone: 'Europe/Berlin', duration: '1h' };

forEachDatabase((_kind, open) => {
  test('a window is announced, begins, ends, and comes back after a restart', async (t) => {
    const { db } = await open(t);
    const clock = manualClock(START_MS);
    const facts: Fact[] = [];
    const bus = createBus((thrown) => assert.fail(String(thrown)));
    bus.subscribe((fact) => facts.push(fact));
    let boundaries = 0;
    const begin = async (): Promise<MaintenanceService> => {
      const services = { get: (id: string) => (id === 'shop' ? ({} as ServiceEntry) : undefined) };
      const onBoundary = async (): Promise<void> => void boundaries++;
      const made = new MaintenanceService({
        db: db.kysely,
        clock,
        ids: countingIds(),
        bus,
        services,
        onBoundary,
        onPastChanged: async () => {},
      });
      await made.load();
      return made;
    };
    const maintenance = await begin();
    await maintenance.create(maintenanceSchema.parse(nightly));
    for (let i = 0; i < 12; i++) {
      await maintenance.step(clock.now());
      await clock.advance(HOUR_MS / 2);
    }
    assert.deepEqual(
      facts.map(({ type, atMs }) => [type, new Date(atMs).toISOString().slice(11, 16)]),
      [
        ['maintenance.announced', '20:00'],
        // 02:30 comes twice in this night; the window is the first one.
        ['maintenance.began', '00:30'],
        ['maintenance.ended', '01:30'],
      ],
    );
    assert.equal(boundaries, 2);
    const again = await begin();
    assert.deepEqual(again.list(), maintenance.list());
    const next = again.get('nightly').next;
    assert.equal(new Date(next?.from_at_ms ?? 0).toISOString(), '2026-10-26T01:30:00.000Z');

    assert.match(again.holding('shop', epochMs(Date.UTC(2026, 9, 25, 0, 45))) ?? '', /maintenance "nightly" until 2026-10-25T01:30/);
    assert.equal(again.holding('other', epochMs(Date.UTC(2026, 9, 25, 0, 45))), undefined);
    await again.remove('nightly');
    assert.deepEqual(again.list(), []);
    const past = again.occurrences({ fromMs: epochMs(START_MS), toMs: epochMs(START_MS + 48 * HOUR_MS) });
    assert.equal(past.length, 1, 'what it was stays');
  });
});

test('windows that cannot be are refused by name and place', () => {
  const refused = (...written: object[]): string => {
    const parsed = maintenanceConfig.safeParse(written);
    return parsed.success
      ? assert.fail('was taken')
      : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n');
  };
  const once = { id: 'move', services: ['shop'], from: '2026-11-22T02:00:00Z', to: '2026-11-22T04:00:00Z' };
  assert.match(refused({ ...once, to: once.from }), /0\.to: the maintenance "move" ends before it begins/);
  assert.match(
    refused(once, { ...once, id: 'other', from: '2026-11-22T03:00:00Z' }),
    /1: the maintenance "other" overlaps "move" for the service "shop"/,
  );
  assert.match(refused(once, once), /used twice/);
  assert.match(refused({ ...nightly, zone: 'Europe/Nowhere' }), /0\.zone: there is no time zone "Europe\/Nowhere"/);
  assert.match(refused({ ...nightly, duration: '25h' }), /0\.duration: the windows of the maintenance "nightly" overlap/);
  assert.match(refused({ ...nightly, cron: '61 * * * *' }), /0\.cron: .*the minute/);
  assert.match(refused({ ...nightly, rrule: 'FREQ=DAILY' }), /either/);
  assert.match(refused({ ...nightly, cron: undefined, rrule: 'FREQ=DAILY' }), /0\.start: a `rrule` counts from its `start`/);
  assert.match(refused({ ...once, duration: '1h' }), /0\.duration: `duration` belongs to windows that come again/);
  assert.match(refused({ id: 'x', services: ['shop'] }), /0\.from: write either/);
  const [problem] = unknownMaintained(maintenanceConfig.parse([{ ...nightly, services: ['shop', 'ghost'] }]), new Set(['shop']));
  assert.deepEqual(problem, {
    path: [0, 'services', 1],
    message: 'the maintenance "nightly" is about "ghost", which is no declared service',
  });
});
