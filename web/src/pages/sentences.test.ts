import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceView } from '../api/wire.ts';
import { alertTitle, countsSentence, overviewSentence, serviceSentence } from './sentences.ts';

const NOW = 1_760_000_400_000;
const service = (fields: Partial<ServiceView>): ServiceView => ({
  id: 'shop',
  name: 'Web shop',
  description: '',
  owner: '',
  tier: '',
  runbook: '',
  tags: [],
  composite: null,
  depends_on: [],
  dependents: [],
  team: '',
  labels: {},
  suppress_when_parent_down: false,
  checks: [],
  check_count: 0,
  origin: { kind: 'ui', place: null },
  state: 'up',
  unknown_reason: null,
  since_at_ms: NOW - 372_000,
  why: null,
  flapping: false,
  monitored_since_at_ms: 0,
  ...fields,
});

test('a service that is down says since when, for how long and why', () => {
  const down = service({ state: 'down', why: 'shop-http: connection refused by 10.0.3.7:443; shop-port: no answer within 500 ms' });
  assert.match(
    serviceSentence(down, NOW).replaceAll('\u00a0', ' '),
    /^Web shop is down since .*\(6 min 12 s\): connection refused by 10\.0\.3\.7:443\.$/,
  );
});

test('a service that changes its state too often is said to be flapping', () => {
  assert.match(serviceSentence(service({ flapping: true }), NOW), /^Web shop is up since .*\. It is flapping\.$/);
});

test('unknown is said as unknown, with its reason', () => {
  const unknown = service({ state: 'unknown', unknown_reason: 'monitor_down' });
  assert.match(serviceSentence(unknown, NOW), /is unknown since .*: Nines itself was not running\.$/);
  assert.equal(serviceSentence(service({ state: 'unknown', unknown_reason: 'not_yet_monitored' }), NOW), 'Web shop is not monitored yet.');
});

test('the overview names the worst state first', () => {
  assert.equal(overviewSentence([], NOW), 'This host is being measured.');
  assert.equal(overviewSentence([], NOW, { scoped: true }), 'No service that you see is watched yet.');
  assert.equal(overviewSentence([service({}), service({ name: 'API' })], NOW), 'All 2 services are up.');
  assert.match(overviewSentence([service({ state: 'degraded' }), service({ name: 'API', state: 'down' })], NOW), /^API is down/);
  const many = ['a', 'b', 'c', 'd', 'e'].map((name) => service({ name, state: 'down' }));
  assert.equal(overviewSentence(many, NOW), '5 of 5 services are down: a, b, c and 2 more.');
});

test('alerts that wait for someone are counted', () => {
  const none = { pending: 0, firing: 0, acknowledged: 0, suppressed: 0, resolved: 0 };
  const said = (critical: Partial<typeof none>, info: Partial<typeof none> = {}) =>
    countsSentence({
      by_severity: { info: { ...none, ...info }, warning: none, critical: { ...none, ...critical }, emergency: none },
    });
  assert.equal(said({}), 'No alert is firing.');
  assert.equal(said({ firing: 1 }), '1 alert firing, not acknowledged.');
  assert.equal(said({ firing: 1, acknowledged: 1 }, { firing: 1 }), '2 alerts firing, not acknowledged; 1 acknowledged.');
  assert.equal(said({ acknowledged: 1, suppressed: 4 }), '1 acknowledged, none waiting.');
});

test('an alert is called by its summary, else by name and place', () => {
  assert.equal(alertTitle({ annotations: { summary: 'CPU is high' }, labels: {}, rule: 'R' }), 'CPU is high');
  assert.equal(alertTitle({ annotations: {}, labels: { alertname: 'Down', service: 'shop' }, rule: 'R' }), 'Down on shop');
  assert.equal(alertTitle({ annotations: {}, labels: {}, rule: 'RULE_001' }), 'RULE_001');
});
