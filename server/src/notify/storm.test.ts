import assert from 'node:assert/strict';
import { it } from 'node:test';
import { labelsOf } from '@nines/model/labels.ts';
import { forEachDatabase, openSqliteForTest } from '../../../test/harness/databases.ts';
import { channelsConfig } from './config.ts';
import { ANNE, type World, openWorld } from './testing/world.ts';

const ROUTING = { default: ['hook'] };
const LIMITED = { hook: { rate_limit: { messages: 5, per: '1m' } } };
const everything = { status: undefined, channel: undefined, alertId: undefined, after: undefined, limit: 1_000 };

/** Fires one rule per name: each is a group, so a message, of its own. */
async function fire(world: World, names: readonly string[], active: boolean, service = 'shop'): Promise<void> {
  for (const name of names) {
    const labels = { id: name, alertname: name };
    await world.alerting.apply({
      rule: {
        kind: 'rule',
        severity: 'critical',
        teamId: 'default',
        forMs: 0 as never,
        keepFiringForMs: 0 as never,
        cooldownMs: 0 as never,
        ...labels,
      },
      atMs: world.clock.now(),
      found: { kind: 'complete', active: active ? [element(name, service)] : [], holding: [] },
    });
  }
  await world.advance(1_000);
}
const element = (alertname: string, service: string) => ({
  labels: labelsOf({ alertname, service, severity: 'critical', instance: 'a' }),
  annotations: { summary: `${alertname} is high` },
  value: 1,
});
const namesOf = (count: number, prefix = 'R'): readonly string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const kinds = (world: World): readonly string[] => world.sent.map(({ attempt }) => attempt.reason);

forEachDatabase((_name, open) => {
  it('a storm is one message when the channel has room again, another service is told at once, no alert is lost', async (t) => {
    const { db } = await open(t);
    const world = await openWorld(t, { db, routing: ROUTING, channels: LIMITED });
    await fire(world, namesOf(20), true);
    assert.deepEqual(
      kinds(world),
      Array.from({ length: 5 }, () => 'fired'),
    );
    await fire(world, ['Billing'], true, 'billing');
    assert.equal(world.sent.at(-1)?.message.commonLabels['service'], 'billing');
    await world.advance(15_000);
    const bundle = world.sent.at(-1);
    assert.deepEqual([world.sent.length, bundle?.attempt.reason], [7, 'bundled']);
    assert.equal(bundle?.attempt.words?.title, '[STORM] 15 alerts in 15 messages (shop)');
    const told = new Set(world.sent.flatMap(({ message }) => message.alerts.map(({ labels }) => labels['alertname'])));
    assert.equal(told.size, 21);
    const rows = await world.notify.list(everything);
    assert.deepEqual([rows.length, rows.filter(({ status }) => status === 'delivered').length], [21, 21]);
    assert.equal(rows.filter(({ cause }) => /in a bundle, because more than 5 messages in 60 s/.test(cause)).length, 15);
  });

  it('a bundle that fails is sent again as it was, also after a crash, and ends as dead letters that can be sent again', async (t) => {
    const { db } = await open(t);
    const world = await openWorld(t, { db, routing: ROUTING, channels: LIMITED });
    const keys: string[] = [];
    world.answer = ({ reason, idempotencyKey }) => {
      if (reason !== 'bundled') return { kind: 'delivered', receipt: 'ok' };
      keys.push(idempotencyKey);
      return { kind: 'failed', error: 'HTTP 503', retryable: true };
    };
    await fire(world, namesOf(8), true);
    await world.advance(20_000);
    assert.ok(keys.length >= 2 && new Set(keys).size === 1, keys.join());
    const after = await world.restart();
    after.answer = () => ({ kind: 'failed', error: 'HTTP 400', retryable: false });
    await after.advance(30_000);
    const dead = await after.notify.list({ ...everything, status: 'dead' });
    assert.deepEqual(
      dead.map(({ last_error: error }) => error),
      ['HTTP 400', 'HTTP 400', 'HTTP 400'],
    );
    after.answer = () => ({ kind: 'delivered', receipt: 'ok' });
    await after.notify.retry(dead[0]?.id ?? '');
    await after.advance(2_000);
    assert.equal((await after.notify.list({ ...everything, status: 'dead' })).length, 2);
  });

  it('a storm of one rule is stored in parts; who acts or fires meanwhile has a turn between, and its end ends all of it', async (t) => {
    const { db } = await open(t);
    const world = await openWorld(t, { db, routing: ROUTING });
    const instances = Array.from({ length: 1_200 }, (_, i) => `i${i}`);
    await world.evaluate(['i1199']);
    const [first] = world.alerting.open();
    const order: string[] = [];
    const note = (name: string) => (): void => void order.push(name);
    const storm = world.evaluate(instances).then(note('storm'));
    const acknowledged = world.alerting.act(first?.id ?? '', { kind: 'acknowledge', comment: undefined }, ANNE).then(note('acknowledged'));
    const other = fire(world, ['Billing'], true, 'billing').then(note('billing'));
    await Promise.all([storm, acknowledged, other]);
    assert.equal(order[0], 'acknowledged');
    await world.advance(6_000);
    const firing = world.alerting.open();
    assert.deepEqual([firing.length, firing.filter((alert) => alert.acknowledged_by === 'anne').length], [1_201, 1]);
    const ofStorm = world.sent.filter(({ message }) => message.commonLabels['alertname'] !== 'Billing');
    assert.deepEqual(
      [ofStorm.length <= 4, (ofStorm.at(-1)?.message.alerts.length ?? 0) + (ofStorm.at(-1)?.message.truncatedAlerts ?? 0)],
      [true, 1_200],
    );
    await world.evaluate([]);
    await world.advance(6_000);
    assert.deepEqual(
      world.alerting.open().map(({ alertname }) => alertname),
      ['Billing'],
    );
    assert.equal(world.sent.at(-1)?.message.status, 'resolved');
    const left = await db.kysely.selectFrom('alerts').select('id').where('open_key', 'is not', null).execute();
    assert.equal(left.length, 1);
  });
});

it('another channel is told once when the first keeps failing, and of the resolve too', async (t) => {
  const { db } = await openSqliteForTest(t);
  const world = await openWorld(t, { db, routing: ROUTING, channels: { hook: { failover: 'mail', failover_after: 2 } } });
  world.answer = ({ message }) =>
    message.receiver === 'hook' ? { kind: 'failed', error: 'connection refused', retryable: true } : { kind: 'delivered', receipt: 'ok' };
  await fire(world, ['R'], true);
  // The receiver is gone for half an hour.
  await world.advance(1_800_000);
  assert.deepEqual(
    world.sent.map(({ message, attempt }) => [message.receiver, attempt.cause]),
    [['mail', 'in place of hook: connection refused']],
  );
  world.answer = () => ({ kind: 'delivered', receipt: 'ok' });
  await world.advance(600_000);
  assert.deepEqual(
    world.sent.map(({ message }) => message.receiver),
    ['mail', 'hook'],
  );
  world.answer = ({ message }) =>
    message.receiver === 'hook' ? { kind: 'failed', error: 'HTTP 410', retryable: false } : { kind: 'delivered', receipt: 'ok' };
  await fire(world, ['R'], false);
  await world.advance(5_000);
  assert.deepEqual(
    world.sent.slice(2).map(({ message }) => `${message.receiver} ${message.status}`),
    ['mail resolved'],
  );
});

it('what has an incident of its own is ended by a message of its own, at the pace of the channel; a bundle of resolves ends none', async (t) => {
  const { db } = await openSqliteForTest(t);
  const world = await openWorld(t, { db, routing: ROUTING, channels: LIMITED, standsAlone: true });
  world.answer = () => ({ kind: 'delivered', receipt: 'ok', thread: 'incident' });
  const names = namesOf(8);
  await fire(world, names, true);
  await world.advance(20_000);
  assert.deepEqual(kinds(world), ['fired', 'fired', 'fired', 'fired', 'fired', 'bundled']);
  await fire(world, names, false);
  await world.advance(180_000);
  assert.deepEqual(kinds(world).slice(6), ['resolved', 'resolved', 'resolved', 'resolved', 'resolved']);
  assert.equal((await world.notify.list({ ...everything, status: 'queued' })).length, 0);
  assert.equal((await world.notify.list({ ...everything, status: 'suppressed' })).length, 3);
});

it("a channel speaks in the user's words; a broken template says so and the message still goes out", async (t) => {
  const { db } = await openSqliteForTest(t);
  const title = '{{ .Status | toUpper }} {{ .CommonLabels.alertname }} x{{ len .Alerts.Firing }}';
  const text =
    '{{ range .Alerts }}{{ .Labels.instance }}: {{ .Annotations.summary }}{{ end }}{{ range .GroupLabels.SortedPairs }} {{ .Name }}={{ .Value }}{{ end }}';
  const channels = {
    hook: { templates: { title, text } },
    mail: { templates: { title: '{{ template "missing" }}', text: '{{ .Status.Nothing }}' } },
  };
  const world = await openWorld(t, { db, routing: { default: ['hook', 'mail'] }, channels });
  await fire(world, ['R{{ .Evil }}'], true);
  const words = (receiver: string) => world.sent.find(({ message }) => message.receiver === receiver)?.attempt.words;
  assert.deepEqual(words('hook'), { title: 'FIRING R{{ .Evil }} x1', text: 'a: R{{ .Evil }} is high alertname=R{{ .Evil }} service=shop' });
  assert.match(words('mail')?.title ?? '', /^\[FIRING:1\] R\{\{ \.Evil \}\} \(shop\) \(template failed: title: .*missing.*; text: /);
  assert.equal(words('mail')?.text, undefined);
});

it('a configuration with a broken template or a failover that leads nowhere or back is refused', () => {
  const refusal = (channels: readonly object[]): string =>
    channelsConfig
      .safeParse(channels.map((fields, i) => ({ id: `c${i}`, kind: 'log', ...fields })))
      .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
      .join() ?? '';
  assert.match(refusal([{ templates: { title: '{{ .Status' } }]), /^0\.templates\.title: /);
  assert.equal(refusal([{ failover: 'c9' }]), '0.failover: no channel has the id "c9"');
  assert.equal(
    refusal([{ failover: 'c1' }, { failover: 'c0' }]),
    '0.failover: the failover comes back to "c0",1.failover: the failover comes back to "c1"',
  );
  assert.equal(refusal([{ failover: 'c1' }, { failover: 'c2' }, {}]), '');
});
