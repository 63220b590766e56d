import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseMatchers } from '@nines/base/matcher-text.ts';
import { channelsConfig, routingConfig, unknownToRouting } from './config.ts';
import { createRouter } from './route.ts';

const TREE = {
  receiver: 'mails',
  group_by: ['alertname', 'cluster'],
  routes: [
    {
      matchers: ['service=~"foo1|foo2"'],
      receiver: 'x-mails',
      routes: [{ matchers: ['severity="critical"', 'owner!=""'], receiver: 'x-pager', group_wait: '1s', group_by: ['...'] }],
    },
    { match: { service: 'files' }, receiver: 'y-mails', continue: true },
    { matchers: ['{service="files", severity=~"crit.*"}'], receiver: 'y-pager', repeat_interval: '1h' },
  ],
};

function route(labels: Record<string, string>, routing: unknown = { tree: TREE }) {
  return createRouter(routingConfig.parse(routing))(labels);
}

describe('the routing tree', () => {
  const f = (labels: Record<string, string>, want: readonly string[]) =>
    it(`sends ${JSON.stringify(labels)} to ${want.join(' and ')}`, () =>
      assert.deepEqual(
        route(labels).map(({ channel }) => channel),
        want,
      ));
  f({ alertname: 'A' }, ['mails']);
  f({ service: 'foo1' }, ['x-mails']);
  f({ service: 'foo11' }, ['mails']);
  f({ service: 'foo2', severity: 'critical' }, ['x-mails']);
  f({ service: 'foo2', severity: 'critical', owner: 'x' }, ['x-pager']);
  f({ service: 'files' }, ['y-mails']);
  f({ service: 'files', severity: 'critical' }, ['y-mails', 'y-pager']);

  it('names groups as Alertmanager does', () => {
    const [group] = route({ alertname: 'A', cluster: 'c', service: 'files', instance: 'i' });
    assert.equal(group?.groupKey, '{}/{service="files"}:{alertname="A", cluster="c"}');
    const [all] = route({ alertname: 'A', service: 'foo1', severity: 'critical', owner: 'o' });
    assert.equal(
      all?.groupKey,
      '{}/{service=~"foo1|foo2"}/{owner!="",severity="critical"}:{alertname="A", owner="o", service="foo1", severity="critical"}',
    );
  });

  it("inherits timings, with Alertmanager's defaults at the root", () => {
    const timings = (labels: Record<string, string>) => route(labels).map((g) => [g.groupWaitMs, g.groupIntervalMs, g.repeatIntervalMs]);
    assert.deepEqual(timings({}), [[30_000, 300_000, 14_400_000]]);
    assert.deepEqual(timings({ service: 'foo1', severity: 'critical', owner: 'o' }), [[1_000, 300_000, 14_400_000]]);
    assert.deepEqual(timings({ service: 'files', severity: 'critical' })[1], [30_000, 300_000, 3_600_000]);
  });

  it('tells every channel of a receiver, each in a group of its own, and nobody where a receiver has none', () => {
    const receivers = [
      { name: 'mails', channels: ['mail', 'chat'] },
      { name: 'x-mails', channels: [] },
    ];
    const of = (labels: Record<string, string>) => route(labels, { tree: TREE, receivers }).map(({ id, receiver }) => [id, receiver]);
    assert.deepEqual(of({ alertname: 'A' }), [
      ['mail mails {}:{alertname="A"}', 'mails'],
      ['chat mails {}:{alertname="A"}', 'mails'],
    ]);
    assert.deepEqual(of({ service: 'foo1' }), []);
  });

  it('is absent by default: every alert goes to the default channels, by name and service, at once', () => {
    const groups = route({ alertname: 'A', service: 's', instance: 'i' }, { default: ['hook', 'mail'] });
    assert.deepEqual(
      groups.map((g) => [g.id, g.groupWaitMs, g.groupIntervalMs]),
      [
        ['hook {}:{alertname="A", service="s"}', 0, 0],
        ['mail {}:{alertname="A", service="s"}', 0, 0],
      ],
    );
    assert.deepEqual(route({ alertname: 'A' }, {}), []);
  });
});

describe('the sections channels and routing', () => {
  it('read matchers in every form', () => {
    const f = (text: string, want: string) => {
      const parsed = parseMatchers(text);
      assert.ok(parsed.ok, text);
      assert.equal(parsed.value.map(({ name, op, value }) => `${name}${op}${value}`).join(' & '), want);
    };
    f('severity="critical"', 'severity=critical');
    f('severity = critical', 'severity=critical');
    f('{a!="x", b=~"y|z"}', 'a!=x & b=~y|z');
    f('"strange name"!~"a\\"b"', 'strange name!~a"b');
    f('empty=""', 'empty=');
    for (const bad of ['', '{}', 'severity', 'a==b"', 'a=~"("', 'a="x']) assert.equal(parseMatchers(bad).ok, false, bad);
  });

  it('name receivers that nobody declared, and refuse a root with matchers', () => {
    const channels = channelsConfig.parse([{ id: 'mails', kind: 'log' }]);
    assert.deepEqual(
      unknownToRouting(channels, routingConfig.parse({ default: ['nobody'], tree: TREE }))
        .map(({ path, message }) => `${path.join('.')}: ${message}`)
        .slice(0, 2),
      ['routing.default.0: there is no channel "nobody"', 'routing.tree.routes.0.receiver: there is no channel "x-mails"'],
    );
    const written = {
      receivers: [
        { name: 'team', channels: ['mails', 'pager'] },
        { name: 'team', channels: [] },
      ],
      time_intervals: [{ name: 'nights' }],
      mute_time_intervals: [{ name: 'nights' }],
      tree: { receiver: 'team', routes: [{ mute_time_intervals: ['nights', 'days'] }] },
    };
    assert.deepEqual(
      unknownToRouting(channels, routingConfig.parse(written)).map(({ path, message }) => `${path.join('.')}: ${message}`),
      [
        'routing.receivers.0.channels.1: there is no channel "pager"',
        'routing.receivers.1.name: the name "team" is used twice',
        'routing.mute_time_intervals.0.name: the name "nights" is used twice',
        'routing.tree.routes.0.mute_time_intervals.1: there is no time interval "days"',
      ],
    );
    assert.equal(routingConfig.safeParse({ tree: { receiver: 'x', mute_time_intervals: ['nights'] } }).success, false);
    assert.equal(routingConfig.safeParse({ tree: { receiver: 'x', matchers: ['a="b"'] } }).success, false);
    assert.equal(routingConfig.safeParse({ tree: { group_by: ['a'] } }).success, false);
    assert.equal(routingConfig.safeParse({ tree: { receiver: 'x', group_interval: '0s' } }).success, false);
  });

  it('never print a secret', () => {
    const channels = channelsConfig.parse([
      { id: 'a', kind: 'webhook', url: 'https://x.example/', secret: 'hush', headers: { authorization: 'Bearer hush' } },
      { id: 'b', kind: 'email', host: 'h', from: 'a@b', to: 'c@d', user: 'u', password: 'hush' },
    ]);
    assert.doesNotMatch(JSON.stringify(channels), /hush/);
  });

  it('refuse an id twice and an address that is none', () => {
    assert.equal(
      channelsConfig.safeParse([
        { id: 'a', kind: 'log' },
        { id: 'a', kind: 'console' },
      ]).success,
      false,
    );
    assert.equal(channelsConfig.safeParse([{ id: 'a', kind: 'webhook', url: 'ftp://x' }]).success, false);
    assert.equal(channelsConfig.safeParse([{ id: 'a', kind: 'carrier-pigeon' }]).success, false);
  });
});
