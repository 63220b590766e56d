import assert from 'node:assert/strict';
import { type TestContext, describe, it } from 'node:test';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { ANNE, type World, openWorld } from '../notify/testing/world.ts';
import { notifyRoutes } from '../notify/routes.ts';
import { createHttp } from '../platform/http/server.ts';
import { createIds } from '../platform/ids.ts';
import { ownersOf } from './owners.ts';
import { alertRoutes } from './routes.ts';

type Answer = {
  readonly status: number;
  readonly body: Record<string, unknown> & { items?: Record<string, unknown>[]; next?: string | null };
};
type Api = { readonly world: World; readonly ask: (method: 'GET' | 'POST', url: string, payload?: object) => Promise<Answer> };

async function openApi(t: TestContext): Promise<Api> {
  const { db } = await openSqliteForTest(t);
  const world = await openWorld(t, { db, routing: { default: ['hook'] } });
  const gate = { authenticate: async () => ANNE, allows: () => true };
  const http = await createHttp({ logger: silentLogger, ids: createIds(world.clock), gate, hosts: 'any', version: '0' });
  alertRoutes(http, { alerting: world.alerting, notifications: world.notify, clock: world.clock });
  notifyRoutes(http, { notify: world.notify, clock: world.clock, labelsOf: (alerts) => ownersOf(db.kysely, alerts) });
  t.after(() => http.close());
  return {
    world,
    async ask(method, url, payload) {
      const answer = await http.inject({
        method,
        url,
        headers: { authorization: 'Bearer x' },
        ...(payload === undefined ? {} : { payload }),
      });
      return { status: answer.statusCode, body: answer.body === '' ? {} : (answer.json() as Answer['body']) };
    },
  };
}

const ids = (answer: Answer): unknown[] => (answer.body.items ?? []).map((item) => item['id']);

describe('the alerts of the API', () => {
  it('are listed newest first, by page, by severity, status, service, source and time', async (t) => {
    const { world, ask } = await openApi(t);
    for (const instance of ['a', 'b', 'c']) {
      await world.evaluate([instance], { id: `R-${instance}`, severity: instance === 'c' ? 'info' : 'critical' });
      await world.advance(10_000);
    }
    await world.evaluate([], { id: 'R-b' });
    const open = await ask('GET', '/api/alerts');
    assert.deepEqual(
      (open.body.items ?? []).map((item) => item['rule']),
      ['R-c', 'R-a'],
    );
    const first = await ask('GET', '/api/alerts?status=all&limit=2');
    const rest = await ask('GET', `/api/alerts?status=all&limit=2&cursor=${encodeURIComponent(first.body.next ?? '')}`);
    assert.deepEqual([ids(first).length, ids(rest).length, rest.body.next], [2, 1, null]);
    assert.equal(new Set([...ids(first), ...ids(rest)]).size, 3);
    const count = async (query: string) => ids(await ask('GET', `/api/alerts?status=all&${query}`)).length;
    const t0 = world.clock.now() / 1000 - 30;
    assert.equal(await count('severity=critical'), 2);
    assert.equal(await count('severity=critical,info'), 3);
    assert.equal(await count('severity=critical&severity=info'), 3);
    assert.equal(await count('service=shop'), 3);
    assert.equal(await count('service=other'), 0);
    assert.equal(await count('source=R-a'), 1);
    assert.equal(await count('source=rule'), 3);
    assert.equal(await count(`to=${t0 + 5}`), 1);
    assert.equal(await count(`from=${t0 + 31}`), 2);
    assert.equal(ids(await ask('GET', '/api/alerts?status=resolved')).length, 1);
    assert.equal(ids(await ask('GET', '/api/alerts?status=acknowledged')).length, 0);
    assert.equal((await ask('GET', '/api/alerts?status=odd')).status, 400);
    assert.equal((await ask('GET', `/api/alerts?from=${world.clock.now()}`)).status, 400);
  });

  it('are acknowledged, snoozed, assigned, commented and resolved, each step with its actor', async (t) => {
    const { world, ask } = await openApi(t);
    await world.evaluate(['a']);
    const id = String(ids(await ask('GET', '/api/alerts'))[0]);
    const acknowledged = await ask('POST', `/api/alerts/${id}/acknowledge`, { comment: 'on it' });
    assert.deepEqual([acknowledged.body['state'], acknowledged.body['acknowledged_by']], ['acknowledged', 'anne']);
    assert.equal((await ask('POST', `/api/alerts/${id}/acknowledge`)).status, 200);
    assert.equal((await ask('POST', `/api/alerts/${id}/assign`, { assignee: 'bob' })).body['assigned_to'], 'bob');
    assert.equal((await ask('POST', `/api/alerts/${id}/comment`, { comment: 'disk replaced' })).status, 200);
    assert.equal((await ask('POST', `/api/alerts/${id}/snooze`, { for: '1h' })).body['state'], 'suppressed');
    assert.equal((await ask('POST', `/api/alerts/${id}/snooze`, { until: 'resolved' })).body['snoozed_until_resolved'], true);
    assert.equal((await ask('POST', `/api/alerts/${id}/resolve`)).body['state'], 'resolved');
    assert.equal((await ask('POST', `/api/alerts/${id}/resolve`)).status, 409);
    const detail = await ask('GET', `/api/alerts/${id}`);
    const steps = (detail.body['transitions'] as { kind: string; actor: string; reason: string }[]).map(
      ({ kind, actor }) => `${kind} ${actor}`,
    );
    assert.deepEqual(steps, [
      'fired nines',
      'acknowledged anne',
      'assigned anne',
      'commented anne',
      'snoozed anne',
      'snoozed anne',
      'resolved anne',
    ]);
    assert.deepEqual(
      (detail.body['deliveries'] as { reason: string; status: string }[]).map(({ reason, status }) => `${reason} ${status}`),
      ['fired delivered', 'resolved queued'],
    );
  });

  it('take one action over many, and say which could not', async (t) => {
    const { world, ask } = await openApi(t);
    await world.evaluate(['a', 'b']);
    const all = ids(await ask('GET', '/api/alerts'));
    const answer = await ask('POST', '/api/alerts/acknowledge', { ids: [...all, 'nobody'] });
    assert.deepEqual(
      (answer.body.items ?? []).map((item) => item['ok']),
      [true, true, false],
    );
    assert.equal((await ask('POST', '/api/alerts/acknowledge', { ids: [] })).status, 400);
  });

  it('are searched by text, label and person, worst first, by page', async (t) => {
    const { world, ask } = await openApi(t);
    await world.evaluate(['a', 'b', 'c'], { id: 'R-info', severity: 'info' });
    await world.advance(10_000);
    await world.evaluate(['d', 'e'], { id: 'R-critical', severity: 'critical' });
    await world.advance(10_000);
    await world.evaluate(['f'], { id: 'R-warning', severity: 'warning' }, { annotations: { summary: 'Kettle is cold' } });
    const rules = async (query: string) => (await ask('GET', `/api/alerts?${query}`)).body.items?.map((item) => item['rule']);
    assert.deepEqual(await rules('order=urgency'), ['R-critical', 'R-critical', 'R-warning', 'R-info', 'R-info', 'R-info']);
    const seen: unknown[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: Answer = await ask(
        'GET',
        `/api/alerts?order=urgency&limit=2${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      seen.push(...ids(page));
      cursor = page.body.next ?? null;
    }
    assert.deepEqual(seen, ids(await ask('GET', '/api/alerts?order=urgency')));
    for (const [at, id] of seen.entries()) {
      const { body } = await ask('GET', `/api/alerts?order=urgency&limit=1&offset=${at}`);
      assert.deepEqual([body.items?.[0]?.['id'], body['total'], body.next === null], [id, seen.length, at === seen.length - 1]);
    }
    const critical = (await ask('GET', '/api/alerts?order=urgency&offset=1&severity=critical')).body;
    assert.deepEqual([critical.items?.length, critical['total']], [1, 2]);
    for (const query of ['offset=0', 'order=urgency&offset=0&status=all', 'order=urgency&offset=-1'])
      assert.equal((await ask('GET', `/api/alerts?${query}`)).status, 400, query);
    assert.deepEqual(await rules('q=kettle'), ['R-warning']);
    assert.deepEqual(await rules(`label=${encodeURIComponent('instance=~"[de]"')}`), ['R-critical', 'R-critical']);
    assert.deepEqual(await rules(`label=${encodeURIComponent('instance!="d"')}&severity=critical`), ['R-critical']);
    assert.equal((await ask('GET', '/api/alerts?label=odd')).status, 400);
    assert.equal((await ask('GET', '/api/alerts?order=urgency&cursor=odd')).body['code'], 'bad_cursor');
    const [first] = seen;
    await ask('POST', `/api/alerts/${String(first)}/assign`, { assignee: 'anne' });
    assert.deepEqual(ids(await ask('GET', '/api/alerts?assigned=me')), [first]);
    assert.equal(ids(await ask('GET', '/api/alerts?assigned=nobody')).length, 5);
    await world.evaluate([], { id: 'R-info' });
    assert.deepEqual(ids(await ask('GET', '/api/alerts?status=all&assigned=me')), [first]);
    assert.equal(ids(await ask('GET', `/api/alerts?status=resolved&label=${encodeURIComponent('instance="b"')}`)).length, 1);
  });

  it('are counted and grouped by what they have in common', async (t) => {
    const { world, ask } = await openApi(t);
    await world.evaluate(['a', 'b', 'c'], { id: 'R-info', severity: 'info' });
    await world.evaluate(['d', 'a'], { id: 'R-critical', severity: 'critical' });
    const [one] = ids(await ask('GET', '/api/alerts?severity=critical'));
    await ask('POST', `/api/alerts/${String(one)}/acknowledge`);
    const counts = (await ask('GET', '/api/alerts/counts')).body;
    assert.deepEqual([counts['total'], counts['firing']], [5, 4]);
    const { critical, info } = counts['by_severity'] as Record<string, Record<string, number>>;
    assert.deepEqual([critical?.['firing'], critical?.['acknowledged'], info?.['firing']], [1, 1, 3]);
    assert.equal((await ask('GET', '/api/alerts/counts?severity=critical&status=firing')).body['total'], 1);
    const groups = async (by: string) =>
      (await ask('GET', `/api/alerts/groups?by=${by}`)).body.items?.map(({ key, total, firing, severity }) => [
        key,
        total,
        firing,
        severity,
      ]);
    assert.deepEqual(await groups('rule'), [
      ['R-critical', 2, 1, 'critical'],
      ['R-info', 3, 3, 'info'],
    ]);
    assert.deepEqual((await groups('label:instance'))?.length, 4);
    assert.deepEqual(await groups('service'), [['shop', 5, 4, 'critical']]);
    assert.equal((await ask('GET', '/api/alerts/groups?by=colour')).status, 400);
    for (const status of ['open', 'all', 'resolved', 'firing', 'acknowledged', 'suppressed', 'pending']) {
      const listed = ids(await ask('GET', `/api/alerts?status=${status}&limit=1000`)).length;
      const grouped = (await ask('GET', `/api/alerts/groups?by=label:instance&status=${status}`)).body.items ?? assert.fail(status);
      assert.equal(
        grouped.reduce((sum, { total }) => sum + Number(total), 0),
        listed,
        status,
      );
      assert.equal((await ask('GET', `/api/alerts/counts?status=${status}`)).body['total'], listed, status);
    }
  });

  it('are as they were after an action is undone, and say so in their history', async (t) => {
    const { world, ask } = await openApi(t);
    await world.evaluate(['a', 'b']);
    const all = ids(await ask('GET', '/api/alerts'));
    const states = async () => (await ask('GET', '/api/alerts')).body.items?.map((item) => item['state']);
    for (const [act, body] of [
      ['acknowledge', {}],
      ['suppress', {}],
      ['snooze', { until: 'resolved' }],
    ] as const) {
      await ask('POST', `/api/alerts/${act}`, { ids: all, ...body });
      assert.notDeepEqual(await states(), ['firing', 'firing']);
      const undone = await ask('POST', `/api/alerts/un${act}`, { ids: all });
      assert.deepEqual(
        undone.body.items?.map((item) => item['changed']),
        [true, true],
      );
      assert.deepEqual(await states(), ['firing', 'firing']);
      const again = await ask('POST', `/api/alerts/un${act}`, { ids: all });
      assert.deepEqual(
        again.body.items?.map((item) => item['changed']),
        [false, false],
      );
    }
    const detail = await ask('GET', `/api/alerts/${String(all[0])}`);
    assert.deepEqual(
      (detail.body['transitions'] as { kind: string }[]).map(({ kind }) => kind),
      ['fired', 'acknowledged', 'unacknowledged', 'suppressed', 'unsuppressed', 'snoozed', 'unsnoozed'],
    );
  });

  it('show texts of a megabyte cut, with their length, and keep them whole for what matches them', async (t) => {
    const { world, ask } = await openApi(t);
    const huge = `<script>${'é'.repeat(1_000_000)}`;
    await world.evaluate(['a'], {}, { annotations: { summary: huge, other: '{{ template }}\u0000\u202e' } });
    const listed = await ask('GET', '/api/alerts');
    assert.ok(JSON.stringify(listed.body).length < 10_000);
    const [alert] = listed.body.items ?? [];
    assert.ok(alert);
    const { summary, other } = alert['annotations'] as Record<string, string>;
    assert.match(summary ?? '', /^<script>é+… \(1000008 characters\)$/);
    assert.equal(other, '{{ template }}\u0000\u202e');
    assert.ok(JSON.stringify((await ask('GET', `/api/alerts/${String(alert['id'])}`)).body).length < 50_000);
    assert.equal(world.alerting.open()[0]?.annotations['summary'], huge);
  });

  it('refuse what cannot be, in words', async (t) => {
    const { world, ask } = await openApi(t);
    await world.evaluate(['a']);
    const id = String(ids(await ask('GET', '/api/alerts'))[0]);
    assert.equal((await ask('GET', '/api/alerts/nobody')).body['code'], 'alert_not_found');
    assert.equal((await ask('POST', '/api/alerts/nobody/acknowledge')).status, 404);
    assert.equal((await ask('POST', `/api/alerts/${id}/escalate`)).status, 409, 'no policy takes it');
    assert.equal((await ask('POST', `/api/alerts/${id}/snooze`)).body['field'], 'until');
    assert.equal((await ask('POST', `/api/alerts/${id}/snooze`, { until: '2001-01-01T00:00:00Z' })).status, 409);
    assert.equal((await ask('POST', `/api/alerts/${id}/assign`, {})).body['field'], 'assignee');
    assert.equal((await ask('POST', `/api/alerts/${id}/comment`, { comment: ' ' })).body['field'], 'comment');
    assert.equal((await ask('POST', `/api/alerts/${id}/acknowledge`, { commment: 'x' })).status, 400);
  });
});

describe('the channels of the API', () => {
  it('are tested, and say why a test failed', async (t) => {
    const { world, ask } = await openApi(t);
    assert.equal((await world.notify.channelViews()).length, 3);
    assert.equal((await ask('POST', '/api/channels/hook/test')).body['delivered'], true);
    world.answer = () => ({ kind: 'failed', error: 'HTTP 404: no such room', retryable: false });
    const failed = await ask('POST', '/api/channels/hook/test');
    assert.deepEqual([failed.body['delivered'], failed.body['error']], [false, 'HTTP 404: no such room']);
    const [hook] = await world.notify.channelViews();
    assert.deepEqual([hook?.delivered, hook?.given_up, hook?.waiting], [1, 1, 0]);
    assert.equal(hook?.delivered_at_ms, world.clock.now());
    assert.deepEqual(hook?.failed, { at_ms: world.clock.now(), error: 'HTTP 404: no such room' });
    const dead = await ask('GET', '/api/notifications?status=dead');
    assert.equal((dead.body.items ?? [])[0]?.['reason'], 'test');
    assert.equal((await ask('POST', '/api/channels/nobody/test')).status, 404);
    assert.equal((await ask('POST', `/api/notifications/${String(ids(dead)[0])}/retry`)).status, 202);
    assert.equal((await ask('POST', '/api/notifications/nobody/retry')).status, 404);
  });
});
