/** Random inhibition rules over random alerts keep back what they keep back in Debian's Alertmanager. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlertView } from '@nines/server/alerting/contract.ts';
import { routingConfig } from '@nines/server/notify/config.ts';
import { Inhibitor } from '@nines/server/notify/inhibit.ts';
import fc from 'fast-check';
import { startAlertmanager } from '../harness/alertmanager.ts';
import { poll } from '../harness/poll.ts';

const SCENARIOS = process.env['NINES_FULL'] === '1' ? 2_000 : 200;
const NAMES = ['a', 'b', 'c'];
/** All scenarios stand in one configuration; this label keeps them apart, and stands in every rule and alert. */
const APART = 'scenario';

const matcher = fc
  .tuple(fc.constantFrom(...NAMES), fc.constantFrom('=', '!=', '=~', '!~'), fc.constantFrom('1', '2', '', '1|2', '.+'))
  .map(([name, op, value]) => `${name}${op}"${value}"`);
const side = fc.array(matcher, { maxLength: 2 });
const old = fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom('1', '2'), { maxKeys: 1 });
const rule = fc.record({
  source_matchers: side,
  target_matchers: side,
  source_match: old,
  target_match_re: old,
  equal: fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 2 }),
});
const labels = fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom('1', '2'), { maxKeys: 3 });
const scenario = fc.record({
  rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
  alerts: fc.array(labels, { minLength: 1, maxLength: 6 }),
});

type Labels = Readonly<Record<string, string>>;
const keyOf = (its: Labels): string => JSON.stringify(Object.entries(its).toSorted(([a], [b]) => (a < b ? -1 : 1)));

test('inhibition keeps back what Alertmanager keeps back', async () => {
  const all = fc.sample(scenario, SCENARIOS).map(({ rules, alerts }, index) => ({
    rules: rules.map((one) => ({
      ...one,
      source_match: { ...one.source_match, [APART]: String(index) },
      target_matchers: [...one.target_matchers, `${APART}="${index}"`],
    })),
    alerts: alerts.map((its): Labels => ({ ...its, [APART]: String(index) })),
  }));
  const last = { source: { [APART]: 'last', side: 'source' }, target: { [APART]: 'last', side: 'target' } };
  const rules = [...all.flatMap((one) => one.rules), { source_match: last.source, target_match: last.target }];
  const written = { route: { receiver: 'nobody' }, receivers: [{ name: 'nobody' }], inhibit_rules: rules };
  await using alertmanager = await startAlertmanager(JSON.stringify(written));
  const send = async (sent: readonly Labels[]): Promise<void> => {
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(sent.map((its) => ({ labels: its }))),
    };
    const answer = await fetch(`http://${alertmanager.address}${alertmanager.prefix}/api/v2/alerts`, init);
    assert.equal(answer.status, 200, await answer.text());
  };
  await send(all.flatMap(({ alerts }) => alerts));
  await send([last.target, last.source]);
  // It learns of alerts one after another: when the last one inhibits, all others do.
  await poll('the last source to inhibit', async () =>
    (await alertmanager.alerts()).some((alert) => alert.labels['side'] === 'target' && alert.status.inhibitedBy.length > 0),
  );
  const theirs = new Set(
    (await alertmanager.alerts()).filter(({ status }) => status.inhibitedBy.length > 0).map((alert) => keyOf(alert.labels)),
  );

  let held = 0;
  for (const { rules: its, alerts } of all) {
    const inhibitor = new Inhibitor();
    const open = alerts.map(
      (one) => ({ id: keyOf(one), fingerprint: keyOf(one), alertname: '', labels: one, condition: 'firing' }) as unknown as AlertView,
    );
    inhibitor.configure(routingConfig.parse({ inhibit_rules: its }).inhibit_rules, open);
    for (const alert of alerts) {
      const isHeld = inhibitor.inhibiting(alert) !== undefined;
      assert.equal(isHeld, theirs.has(keyOf(alert)), JSON.stringify({ alert, its, alerts }));
      held += Number(isHeld);
    }
  }
  assert.ok(held > SCENARIOS / 10, `only ${held} alerts were inhibited at all`);
});
