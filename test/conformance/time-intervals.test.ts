/** Routes with random time intervals rest and speak as in Debian's Alertmanager, now. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { intervalsOf, routingConfig } from '@nines/server/notify/config.ts';
import { heldAt } from '@nines/server/notify/held.ts';
import { createRoutes } from '@nines/server/notify/route.ts';
import fc from 'fast-check';
import { startAlertmanager } from '../harness/alertmanager.ts';
import { startReceiver } from '../harness/peers.ts';
import { poll } from '../harness/poll.ts';

const ROUTES = 200;
const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

const between = (min: number, max: number): fc.Arbitrary<readonly [number, number]> =>
  fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
const hour = (value: number): string => `${String(value).padStart(2, '0')}:00`;
const interval = fc.record(
  {
    times: fc.array(
      between(0, 23).map(([from, to]) => ({ start_time: hour(from), end_time: hour(to + 1) })),
      { minLength: 1, maxLength: 2 },
    ),
    weekdays: fc.array(
      between(0, 6).map((days) => days.map((day) => DAYS[day]).join(':')),
      { minLength: 1, maxLength: 2 },
    ),
    days_of_month: fc.array(
      fc.oneof(between(1, 31), between(-28, -1)).map((days) => days.join(':')),
      { minLength: 1, maxLength: 2 },
    ),
    months: fc.array(
      between(1, 12).map((months) => months.join(':')),
      { minLength: 1, maxLength: 1 },
    ),
    // Without summer time: where it begins Alertmanager counts the days of the month wrongly.
    location: fc.constantFrom('UTC', 'Africa/Lagos', 'Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Asia/Kathmandu'),
  },
  { requiredKeys: ['location'] },
);
const resting = fc.record({ intervals: fc.array(interval, { minLength: 1, maxLength: 2 }), isMute: fc.boolean() });

test('routes rest when those of Alertmanager do', async () => {
  await using receiver = await startReceiver();
  const made = fc.sample(resting, ROUTES);
  const names = made.map((_, index) => `r${index}`);
  const route = {
    receiver: 'nobody',
    group_wait: '0s',
    routes: [
      ...made.map(({ isMute }, index) => ({
        receiver: names[index],
        matchers: [`r="${index}"`],
        group_wait: '0s',
        [isMute ? 'mute_time_intervals' : 'active_time_intervals']: [`i${index}`],
      })),
      { receiver: 'last', matchers: ['r="last"'], group_wait: '3s' },
    ],
  };
  const time_intervals = made.map(({ intervals }, index) => ({ name: `i${index}`, time_intervals: intervals }));
  const hooked = [...names, 'last'].map((name) => ({ name, webhook_configs: [{ url: receiver.url }] }));
  await using alertmanager = await startAlertmanager(JSON.stringify({ route, time_intervals, receivers: [{ name: 'nobody' }, ...hooked] }));

  const routing = routingConfig.parse({ tree: route, time_intervals });
  const { matching } = createRoutes(routing);
  const speaking = (atMs: number): ReadonlySet<string> => {
    const held = heldAt(atMs, { intervals: intervalsOf(routing) });
    const told = made
      .flatMap((_, index) => matching({ r: String(index) }))
      .filter(({ intervals }) => held.resting(intervals) === undefined);
    return new Set(told.map(({ receiver: name }) => name));
  };
  const before = speaking(Date.now());
  const body = JSON.stringify([...made.map((_, index) => ({ labels: { r: String(index) } })), { labels: { r: 'last' } }]);
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
  const answer = await fetch(`http://${alertmanager.address}${alertmanager.prefix}/api/v2/alerts`, init);
  assert.equal(answer.status, 200, await answer.text());
  const told = (): ReadonlySet<string> => new Set(receiver.received.map(({ payload }) => payload.receiver));
  await poll('the last route to speak', () => told().has('last'));
  // An hour may have begun in between.
  const after = speaking(Date.now());
  await poll('every route that speaks all the while', () =>
    [...before].filter((name) => after.has(name)).every((name) => told().has(name)),
  );
  const extra = [...told()].filter((name) => name !== 'last' && !before.has(name) && !after.has(name));
  assert.deepEqual(
    extra.map((name) => made[names.indexOf(name)]),
    [],
  );
  assert.ok(before.size > ROUTES / 10 && before.size < ROUTES, `${before.size} of ${ROUTES} speak`);
});
