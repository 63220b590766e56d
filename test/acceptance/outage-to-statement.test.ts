import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startNines } from '../harness/nines.ts';
import { startReceiver, startTarget } from '../harness/peers.ts';
import { poll } from '../harness/poll.ts';
import { freshPostgres } from '../harness/postgres.ts';

type Interval = { from_at_ms: number; to_at_ms: number; state: string; unknown_reason?: string };
type Timeline = { from_at_ms: number; to_at_ms: number; intervals: Interval[] };
type Downtime = {
  id: string;
  service: string;
  from_at_ms: number;
  to_at_ms: number | null;
  from_bounds_at_ms: [number, number];
  to_bounds_at_ms: [number, number] | null;
  reason: string;
  checks: string[];
  excluded: boolean;
  revision: number;
};
type Sla = {
  id: string;
  status: string;
  target: number;
  attained: number | null;
  young: boolean;
  observed_ms: number;
  window: { from_at_ms: number; to_at_ms: number };
  budget: { total_ms: number; spent_ms: number; remaining_ms: number };
  buckets: Record<'up_ms' | 'degraded_ms' | 'down_ms' | 'unknown_ms' | 'excluded_ms' | 'out_of_hours_ms', number>;
  violations_open: number;
};
type AlertItem = {
  id: string;
  rule: string;
  state: string;
  severity: string;
  starts_at_ms: number;
  ends_at_ms: number | null;
  service: string | null;
};
type QueryResult = { data: { result: { metric: Record<string, string>; values: [number, string][] }[] } };

const config = (target: string, hook: string): string => `
channels:
  - { id: hook, kind: webhook, url: '${hook}' }
routing: { default: [hook] }
services:
  - id: shop
    name: Web shop
    checks:
      - { id: shop-http, kind: http, url: '${target}/health', interval: 1s, timeout: 1s, expect: { status: [200], body_contains: ok } }
slas:
  - { id: shop-availability, service: shop, indicator: { kind: availability }, target: 99.9%, window: { rolling: 30m }, unknown: exclude }
`;

const lengthOf = ({ from_at_ms, to_at_ms }: Interval): number => to_at_ms - from_at_ms;
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
const iso = (atMs: number): string => new Date(atMs).toISOString();

for (const kind of ['sqlite', 'postgresql'] as const) {
  test(`an outage is found, told, counted and reported, and every figure is the same figure (${kind})`, async () => {
    const state = kind === 'sqlite' ? '' : `state: { kind: postgresql, url: '${await freshPostgres()}' }\n`;
    await followOutage(state);
  });
}

/** `extra` stands in front of the configuration. */
async function followOutage(extra: string): Promise<void> {
  await using target = await startTarget();
  await using receiver = await startReceiver();
  await using nines = await startNines({ config: extra + config(target.url, receiver.url) });
  const state = async (): Promise<string> => (await nines.get<{ state: string }>('/api/services/shop')).json.state;
  const downtimes = async (): Promise<Downtime[]> => (await nines.get<{ items: Downtime[] }>('/api/downtime?service=shop')).json.items;

  await poll('the shop to be up', async () => (await state()) === 'up');
  const beganMs = Date.now();
  await poll('three seconds of up', () => Date.now() - beganMs > 3_000);
  const [stopLow, stopHigh] = await target.stop();
  const open = await poll('an open downtime', async () => (await downtimes()).find(({ to_at_ms }) => to_at_ms === null));
  const page = await poll('the page', () =>
    receiver.received.find(({ payload }) => payload.status === 'firing' && payload.groupLabels['alertname'] === 'ServiceDown'),
  );
  await poll('some seconds of down', () => Date.now() - stopHigh > 4_000);
  const [startLow, startHigh] = await target.start();
  const closed = await poll('the downtime to close', async () =>
    (await downtimes()).find(({ id, to_at_ms }) => id === open.id && to_at_ms !== null),
  );
  const resolve = await poll('the resolve', () =>
    receiver.received.find(({ payload }) => payload.status === 'resolved' && payload.groupLabels['alertname'] === 'ServiceDown'),
  );

  // The downtime: its bounds hold the true instants, to the length of one attempt.
  const attemptMs = 500;
  assert.ok(
    closed.from_bounds_at_ms[0] <= stopHigh && stopLow <= closed.from_bounds_at_ms[1] + attemptMs,
    `stop ${stopLow}..${stopHigh} lies in ${closed.from_bounds_at_ms.join('..')}`,
  );
  assert.ok(
    closed.to_bounds_at_ms !== null && closed.to_bounds_at_ms[0] <= startHigh && startLow <= closed.to_bounds_at_ms[1] + attemptMs,
    `start ${startLow}..${startHigh} lies in ${closed.to_bounds_at_ms?.join('..')}`,
  );
  assert.deepEqual(closed.checks, ['shop-http']);
  assert.equal(closed.reason, 'unplanned_outage');
  const downMs = (closed.to_at_ms ?? 0) - closed.from_at_ms;
  assert.ok(downMs >= 3_000, `an outage of some seconds, found ${downMs} ms`);

  // The samples: the first 0 and the first 1 after it stand exactly at the downtime's edges.
  const fromS = Math.floor(closed.from_at_ms / 1000) - 5;
  const range = await nines.get<QueryResult>(
    `/api/v1/query?query=${encodeURIComponent('probe_success{check="shop-http"}[2m]')}&time=${fromS + 60}`,
  );
  const values = range.json.data.result[0]?.values ?? [];
  const firstDown = values.find(([, value]) => value === '0');
  const firstUp = values.find(([at, value]) => value === '1' && at > (firstDown?.[0] ?? 0));
  assert.equal(Math.round((firstDown?.[0] ?? 0) * 1000), closed.from_at_ms);
  assert.equal(Math.round((firstUp?.[0] ?? 0) * 1000), closed.to_at_ms);

  // The ledger: one down interval with the downtime's edges; intervals partition the window.
  const windowFrom = closed.from_at_ms - 2_000;
  const windowTo = (closed.to_at_ms ?? 0) + 1;
  const timeline = (await nines.get<Timeline>(`/api/services/shop/timeline?from=${iso(windowFrom)}&to=${iso(windowTo)}`)).json;
  assert.equal(timeline.intervals[0]?.from_at_ms, windowFrom);
  assert.equal(timeline.intervals.at(-1)?.to_at_ms, windowTo);
  assert.equal(sum(timeline.intervals.map(lengthOf)), windowTo - windowFrom);
  const down = timeline.intervals.filter((interval) => interval.state === 'down');
  assert.deepEqual(
    down.map(({ from_at_ms, to_at_ms }) => [from_at_ms, to_at_ms]),
    [[closed.from_at_ms, closed.to_at_ms]],
  );

  // The SLA: buckets sum to the window, the down bucket is the downtime, 30 minutes at 99.9 % allow 1 800 ms.
  const sla = (await nines.get<Sla>('/api/slas/shop-availability')).json;
  assert.equal(sum(Object.values(sla.buckets)), sla.window.to_at_ms - sla.window.from_at_ms);
  assert.equal(sla.buckets.down_ms, downMs);
  assert.equal(sla.budget.total_ms, 1_800);
  assert.equal(sla.budget.spent_ms, downMs);
  assert.equal(sla.budget.remaining_ms, 1_800 - downMs);
  assert.equal(sla.young, true);
  assert.equal(sla.status, 'breached');
  assert.equal(sla.violations_open, 1);
  const good = sla.buckets.up_ms + sla.buckets.degraded_ms;
  assert.ok(Math.abs((sla.attained ?? 0) - good / (good + downMs)) < 1e-12);

  // The alert, its page and its resolve carry the downtime's instants.
  const alerts = (await nines.get<{ items: AlertItem[] }>('/api/alerts?status=all')).json.items;
  const alert = alerts.find(({ rule }) => rule === 'RULE_004');
  assert.equal(alert?.starts_at_ms, closed.from_at_ms);
  assert.equal(alert?.severity, 'emergency');
  assert.equal(alert?.state, 'resolved');
  assert.equal(new Date(page.payload.alerts[0]?.startsAt ?? 0).getTime(), closed.from_at_ms);
  assert.equal(resolve.payload.alerts[0]?.fingerprint, page.payload.alerts[0]?.fingerprint);
  assert.equal(new Date(resolve.payload.alerts[0]?.endsAt ?? 0).getTime(), alert?.ends_at_ms);
  await poll('the page of the SLA violation', () =>
    receiver.received.find(({ payload }) => payload.groupLabels['alertname'] === 'SlaViolation'),
  );

  // The report says the same, in JSON and in HTML.
  const period = `from=${iso(windowFrom)}&to=${iso(windowTo)}`;
  const report = await nines.get<{ buckets: Sla['buckets']; downtimes: Downtime[] }>(
    `/api/slas/shop-availability/report?${period}&format=json`,
  );
  assert.equal(report.status, 200, report.text);
  assert.equal(report.json.buckets.down_ms, downMs);
  assert.equal(report.json.downtimes[0]?.from_at_ms, closed.from_at_ms);
  const again = await nines.get(`/api/slas/shop-availability/report?${period}&format=json`);
  assert.equal(again.text, report.text, 'the same report of the same period, to the byte');
  const html = await nines.get(`/api/slas/shop-availability/report?${period}&format=html`);
  assert.match(html.headers.get('content-type') ?? '', /text\/html/);
  assert.match(html.text, /Web shop/);

  // Without the raw samples and after a restart, the ledger answers the same.
  assert.equal(await nines.stop(), 0, nines.output());
  await rm(join(nines.dataDir, 'tsdb'), { recursive: true });
  const second = await startNines({ folder: nines.folder, port: nines.port });
  try {
    const later = (await second.get<Timeline>(`/api/services/shop/timeline?from=${iso(windowFrom)}&to=${iso(windowTo)}`)).json;
    assert.deepEqual(later, timeline);
    const laterReport = await second.get(`/api/slas/shop-availability/report?${period}&format=json`);
    assert.equal(laterReport.text, report.text);
  } finally {
    await second.kill();
  }
}

test('killing the monitor in the middle of an outage leaves unknown, for exactly the gap', async () => {
  await using target = await startTarget();
  await using receiver = await startReceiver();
  await using first = await startNines({ config: config(target.url, receiver.url) });
  await poll('the shop to be up', async () => (await first.get<{ state: string }>('/api/services/shop')).json.state === 'up');
  await target.stop();
  await poll('the shop to be down', async () => (await first.get<{ state: string }>('/api/services/shop')).json.state === 'down');
  const downMs = Date.now();
  await poll('two seconds of down', () => Date.now() - downMs > 2_000);
  await first.kill();
  const killedMs = Date.now();
  await poll('four seconds without a monitor', () => Date.now() - killedMs > 4_000);
  const second = await startNines({ folder: first.folder, port: first.port });
  try {
    const results = await poll('a result after the restart', async () => {
      const text = (await second.get<QueryResult>(`/api/v1/query?query=${encodeURIComponent('probe_success{check="shop-http"}[5m]')}`))
        .json;
      const values = text.data.result[0]?.values ?? [];
      return values.some(([at]) => at * 1000 > killedMs) ? values.map(([at]) => Math.round(at * 1000)) : undefined;
    });
    const last = results.filter((at) => at < killedMs).at(-1) ?? 0;
    const next = results.find((at) => at > killedMs) ?? 0;
    const interval = await poll('the gap in the ledger', async () => {
      const timeline = (await second.get<Timeline>(`/api/services/shop/timeline?from=${iso(last - 1_000)}&to=${iso(next + 1)}`)).json;
      const unknown = timeline.intervals.filter((one) => one.state === 'unknown');
      return unknown.length === 1 && timeline.intervals.at(-1)?.state === 'down' ? unknown[0] : undefined;
    });
    // A result is valid for interval + max(timeout, interval / 2) = 2 000 ms, then nothing is known until the next one.
    assert.equal(interval.from_at_ms, last + 2_000);
    assert.equal(interval.to_at_ms, next);
    assert.equal(interval.unknown_reason, 'monitor_down');
  } finally {
    await second.kill();
  }
});
