import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, createServer } from 'node:http';
import { test } from 'node:test';
import { MINUTE_MS } from '@nines/base/units.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { poll } from '../../../test/harness/poll.ts';
import { type AlertView, UNHANDLED } from '../alerting/contract.ts';
import { createSelfMetrics } from '../collect/self.ts';
import { realClock } from '../platform/clock.ts';
import { createHttpClient } from '../platform/fetch/client.ts';
import { createOutbound } from '../platform/fetch/outbound.ts';
import { type AlertingSettings, type RuleFacts, alertingFields, alertingSettings } from './contract.ts';
import { endpointsOf } from './endpoints.ts';
import { type PostableAlert, isDue, postable, relabelled } from './evaluate.ts';
import { MAX_BATCH_ALERTS, MAX_QUEUED_ALERTS, createSender } from './sender.ts';
import { Alertmanagers } from './service.ts';

const T = 1_700_000_000_000;

const alert = (more: Partial<AlertView> = {}): AlertView => ({
  id: 'a1',
  fingerprint: 'f',
  kind: 'rule',
  rule: 'g/Down',
  alertname: 'Down',
  state: 'firing',
  condition: 'firing',
  severity: 'warning',
  labels: { alertname: 'Down', instance: 'i' },
  annotations: { summary: 's' },
  value: 1,
  active_at_ms: T - MINUTE_MS,
  starts_at_ms: T,
  ends_at_ms: null,
  ...UNHANDLED,
  generator_url: null,
  service: null,
  ...more,
});
const ended = (atMs: number): Partial<AlertView> => ({ condition: 'resolved', state: 'resolved', ends_at_ms: atMs });

const settingsOf = (written: unknown, file = 'prometheus.yml'): AlertingSettings =>
  alertingSettings(alertingFields.parse(written), { file, dir: '/etc', externalLabels: { region: 'eu' } });

type Got = { readonly headers: IncomingMessage['headers']; readonly path: string; readonly alerts: readonly PostableAlert[] };
type Manager = AsyncDisposable & { readonly address: string; readonly got: Got[]; answer: number | 'nothing' };

async function startManager(): Promise<Manager> {
  const got: Got[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const alerts = JSON.parse(Buffer.concat(parts).toString()) as readonly PostableAlert[];
      got.push({ headers: request.headers, path: request.url ?? '', alerts });
      if (manager.answer !== 'nothing') response.writeHead(manager.answer).end(manager.answer === 200 ? '' : 'go away');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address !== 'string');
  const manager: Manager = {
    address: `127.0.0.1:${address.port}`,
    got,
    answer: 200,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return manager;
}

test('an alert is sent when it fires and every minute; when it ended at once and for a quarter of an hour', () => {
  const due = (view: AlertView, afterMs: number, last?: { atMs: number; resolved: boolean }): boolean =>
    isDue({ alert: view, nowMs: T + afterMs, last });
  assert.equal(due(alert({ condition: 'pending' }), 0), false);
  assert.equal(due(alert(), 0), true);
  assert.equal(due(alert(), MINUTE_MS - 1, { atMs: T, resolved: false }), false);
  assert.equal(due(alert(), MINUTE_MS, { atMs: T, resolved: false }), true);
  // The end may be dated back to before the last sending.
  assert.equal(due(alert(ended(T - 5)), 10, { atMs: T, resolved: false }), true);
  assert.equal(due(alert(ended(T)), 10, { atMs: T, resolved: true }), false);
  assert.equal(due(alert(ended(T)), 15 * MINUTE_MS, { atMs: T, resolved: true }), true);
  assert.equal(due(alert(ended(T)), 15 * MINUTE_MS + 1, { atMs: T, resolved: true }), false);
  // Held back from the beginning it is told to nobody; what was told of goes on.
  assert.equal(due(alert({ held_back: 'router is down' }), 0), false);
  assert.equal(due(alert({ held_back: 'router is down' }), MINUTE_MS, { atMs: T, resolved: false }), true);
});

test('a firing alert is valid for four intervals, of a minute at least', () => {
  const at = { nowMs: T, externalUrl: 'http://nines' };
  assert.equal(postable(alert(), { ...at, intervalMs: 1_000 }).endsAt, new Date(T + 4 * MINUTE_MS).toISOString());
  assert.equal(postable(alert(), { ...at, intervalMs: 5 * MINUTE_MS }).endsAt, new Date(T + 20 * MINUTE_MS).toISOString());
  assert.deepEqual(postable(alert(ended(T + 7)), { ...at, intervalMs: 1 }), {
    labels: { alertname: 'Down', instance: 'i' },
    annotations: { summary: 's' },
    startsAt: new Date(T).toISOString(),
    endsAt: new Date(T + 7).toISOString(),
    generatorURL: 'http://nines/alerts-dashboard?alert=a1',
  });
});

test('external labels come before relabelling and never over a label of the alert', () => {
  const made = postable(alert(), { nowMs: T, intervalMs: 1, externalUrl: '' });
  const { alertRelabelRules: rules } = settingsOf({
    alert_relabel_configs: [
      { source_labels: ['region', 'instance'], target_label: 'where' },
      { source_labels: ['alertname'], regex: 'Noise', action: 'drop' },
    ],
  });
  const changes = { externalLabels: { region: 'eu', instance: 'x' }, rules };
  assert.deepEqual({ ...relabelled(made, changes)?.labels }, { alertname: 'Down', instance: 'i', region: 'eu', where: 'eu;i' });
  assert.equal(relabelled({ ...made, labels: { alertname: 'Noise' } }, changes), undefined);
});

test('addresses are made of scheme, address and prefix, which relabelling may change', () => {
  const [one] = settingsOf({
    alertmanagers: [
      {
        scheme: 'https',
        path_prefix: 'team/',
        static_configs: [{ targets: ['a:1', 'b:2', 'c:3'], labels: { zone: 'z' } }],
        relabel_configs: [
          { source_labels: ['__address__'], regex: 'b:.*', action: 'drop' },
          { source_labels: ['__address__'], regex: '(c):3', target_label: '__address__', replacement: '$1:4' },
          { source_labels: ['__address__'], regex: 'c.*', target_label: '__alerts_path__', replacement: '/own' },
          { source_labels: ['zone'], regex: 'z', target_label: '__scheme__', replacement: 'http' },
        ],
      },
    ],
  }).managers;
  assert.ok(one);
  assert.deepEqual(endpointsOf(one, []), {
    urls: ['http://a:1/team/api/v2/alerts', 'http://c:4/own'],
    dropped: ['https://b:2/team/api/v2/alerts'],
    faults: [],
  });
  const broken = [{ source: '', labels: {}, targets: [{ __address__: 'a/b' }, {}] }];
  assert.deepEqual(endpointsOf(one, broken).faults, ['no address can be made of "a/b"', 'no address can be made of ""']);
});

test('what cannot be sent is counted, and the queue ends somewhere', async () => {
  await using outbound = createOutbound({ clock: realClock });
  await using manager = await startManager();
  const [settings] = settingsOf({ alertmanagers: [{}] }).managers;
  assert.ok(settings);
  const told = { sent: 0, dropped: 0, failures: [] as string[] };
  await using sender = createSender({
    url: `http://${manager.address}/x`,
    timeoutMs: 60_000,
    client: createHttpClient(settings.http, { outbound, clock: realClock }),
    onSent: (count) => (told.sent += count),
    onDropped: (count) => (told.dropped += count),
    onFailure: (_, reason) => told.failures.push(reason),
  });
  const many = Array.from({ length: 100 }, (_, i) => postable(alert({ id: String(i) }), { nowMs: T, intervalMs: 1, externalUrl: '' }));
  sender.send(many);
  await poll('all sent', () => told.sent === 100);
  assert.deepEqual(
    manager.got.map(({ alerts }) => alerts.length),
    [MAX_BATCH_ALERTS, 100 - MAX_BATCH_ALERTS],
  );
  manager.answer = 503;
  sender.send(many);
  await poll('all refused', () => told.dropped === 100);
  assert.deepEqual([told.failures, sender.lastError()], [['HTTP 503: go away'], 'HTTP 503: go away']);
  // One request hangs; behind it no more wait than may.
  manager.answer = 'nothing';
  sender.send(many.slice(0, MAX_BATCH_ALERTS));
  for (let i = 0; i < 101; i++) sender.send(many);
  assert.equal(sender.queued(), MAX_QUEUED_ALERTS);
  assert.equal(told.dropped, 200);
});

test('each section gets the alerts of its own rules and of those that no section brought', async () => {
  await using outbound = createOutbound({ clock: realClock });
  await using a = await startManager();
  await using b = await startManager();
  const facts: Record<string, RuleFacts> = {
    'g/Down': { intervalMs: 1_000, broughtBy: 'a.yml', dashboardOnly: false },
    shown: { intervalMs: undefined, broughtBy: undefined, dashboardOnly: true },
    ours: { intervalMs: undefined, broughtBy: undefined, dashboardOnly: false },
  };
  const open = Object.keys(facts).map((rule) => alert({ id: rule, rule, labels: { rule } }));
  const late = alert({ id: 'late', rule: 'ours', labels: { rule: 'late' }, ...ended(realClock.now() - MINUTE_MS) });
  await using managers = new Alertmanagers({
    clock: realClock,
    logger: silentLogger,
    outbound,
    metrics: createSelfMetrics(),
    discover: { watch: () => assert.fail('nothing is discovered'), status: () => [] },
    alerting: { open: () => open, resolvedSince: async () => [late] },
    factsOf: (rule) => facts[rule],
    externalUrl: 'http://nines',
  });
  await managers.load();
  const at = (address: string) => [{ basic_auth: { username: 'u', password: 'p' }, static_configs: [{ targets: [address] }] }];
  const sections = [settingsOf({ alertmanagers: at(a.address) }, 'a.yml'), settingsOf({ alertmanagers: at(b.address) }, 'b.yml')];
  managers.configure(sections);
  const rulesOf = ({ got }: Manager): readonly (string | undefined)[] =>
    got.flatMap(({ alerts }) => alerts.map(({ labels }) => labels['rule']));
  await poll('both told', () => a.got.length > 0 && b.got.length > 0);
  assert.deepEqual(rulesOf(a), ['g/Down', 'ours', 'late']);
  assert.deepEqual(rulesOf(b), ['ours', 'late']);
  assert.deepEqual([a.got[0]?.path, a.got[0]?.headers.authorization], ['/api/v2/alerts', `Basic ${Buffer.from('u:p').toString('base64')}`]);
  assert.deepEqual(managers.health(), { status: 'ok', detail: '2 Alertmanagers' });
  // A reload that changes nothing repeats nothing; an end is told at once.
  managers.configure(sections);
  const over = alert({ id: 'ours', rule: 'ours', labels: { rule: 'ours' }, ...ended(realClock.now()) });
  open.splice(2, 1);
  managers.changed([over]);
  await poll('the end', () => b.got.length > 1);
  assert.deepEqual(rulesOf(b), ['ours', 'late', 'ours']);
  assert.equal(b.got[1]?.alerts[0]?.endsAt, new Date(over.ends_at_ms ?? 0).toISOString());
  managers.configure([]);
  assert.deepEqual(managers.view(), { active: [], dropped: [] });
});
