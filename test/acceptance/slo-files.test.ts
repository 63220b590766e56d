import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startNines } from '../harness/nines.ts';
import { startReceiver } from '../harness/peers.ts';
import { poll } from '../harness/poll.ts';
import { type WrittenSeries, writeTo } from '../harness/remote-write.ts';

const SLOTH = `
version: prometheus/v1
service: shop
labels: { owner: web }
slos:
  - name: requests
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(shop_requests_total{code=~"5.."}[{{.window}}]))
        total_query: sum(rate(shop_requests_total[{{.window}}]))
    alerting:
      name: ShopErrors
      page_alert: { labels: { severity: page } }
      ticket_alert: { labels: { severity: ticket } }
`;
/** A window of six days makes its shortest \`for\` nothing. */
const PYRRA = `
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: { name: shop-http, namespace: web, labels: { pyrra.dev/team: shop } }
spec:
  target: '99.9'
  window: 6d
  indicator:
    ratio:
      errors: { metric: 'shop_requests_total{job="shop",code=~"5.."}' }
      total: { metric: 'shop_requests_total{job="shop"}' }
`;
const OPENSLO = `
apiVersion: openslo/v1
kind: SLO
metadata: { name: shop-goal }
spec:
  service: shop
  indicator:
    metadata: { name: good }
    spec:
      ratioMetric:
        counter: true
        bad: { metricSource: { type: Prometheus, spec: { query: 'shop_requests_total{code="500"}' } } }
        total: { metricSource: { type: Prometheus, spec: { query: shop_requests_total } } }
  timeWindow: [{ duration: 1d, isRolling: true }]
  budgetingMethod: Occurrences
  objectives: [{ target: 0.999 }]
  alertPolicies:
    - kind: AlertPolicy
      metadata: { name: fast }
      spec:
        alertWhenBreaching: true
        conditions:
          - kind: AlertCondition
            metadata: { name: burning }
            spec: { severity: page, condition: { kind: burnrate, op: gt, threshold: 14.4, lookbackWindow: 1h } }
`;
const config = (hook: string): string => `
channels: [{ id: hook, kind: webhook, url: '${hook}' }]
routing: { default: [hook] }
rules: { evaluation_interval: 2s }
slo_files: ['*.slo.yml']
`;

const STEP_MS = 15_000;
const HISTORY_MS = 70 * 60_000;
/** Requests of 70 minutes until now, of which a fifth fail. */
function history(nowMs: number): readonly WrittenSeries[] {
  const counter = (code: string, perStep: number): WrittenSeries => ({
    labels: { __name__: 'shop_requests_total', job: 'shop', instance: 'a:80', code },
    samples: Array.from({ length: HISTORY_MS / STEP_MS + 1 }, (_, i) => [nowMs - HISTORY_MS + i * STEP_MS, i * perStep] as const),
  });
  return [counter('200', 40), counter('500', 10)];
}

type Instant = { data: { result: { metric: Record<string, string>; value: [number, string] }[] } };
type Group = { name: string; rules: { name: string; type: string; health: string; lastError?: string }[] };

test('the rules of Sloth and Pyrra are evaluated under their own names, and the burn alerts of all three reach people', async () => {
  await using receiver = await startReceiver();
  const files = { 'a.slo.yml': SLOTH, 'b.slo.yml': PYRRA, 'c.slo.yml': OPENSLO };
  await using nines = await startNines({ config: config(receiver.url), files });
  await writeTo([nines.base], history(Date.now()));
  const query = async (text: string): Promise<Instant['data']['result']> =>
    (await nines.get<Instant>(`/api/v1/query?query=${encodeURIComponent(text)}`)).json.data.result;
  const valueOf = async (text: string): Promise<{ readonly metric: Record<string, string>; readonly value: number }> => {
    const [found] = await poll(`a value of ${text}`, async () => {
      const result = await query(text);
      return result.length === 1 && result;
    });
    return { metric: found?.metric ?? {}, value: Number(found?.value[1]) };
  };

  const ids = { sloth_id: 'shop-requests', sloth_service: 'shop', sloth_slo: 'requests' };
  for (const window of ['5m', '30m', '1h', '2h', '6h', '1d', '3d']) {
    const { metric, value } = await valueOf(`slo:sli_error:ratio_rate${window}`);
    assert.deepEqual(metric, { __name__: `slo:sli_error:ratio_rate${window}`, owner: 'web', ...ids, sloth_window: window });
    assert.ok(Math.abs(value - 0.2) < 0.01, `${window}: ${value}`);
  }
  // What dashboards of Sloth show.
  assert.equal((await valueOf('slo:objective:ratio{sloth_service="shop"}')).value, 0.999_000_000_000_000_1);
  assert.ok(Math.abs((await valueOf('slo:current_burn_rate:ratio')).value - 200) < 10);
  assert.ok((await valueOf('slo:period_error_budget_remaining:ratio{sloth_slo="requests"}')).value < -100);
  assert.equal((await valueOf('slo:time_period:days')).value, 30);
  assert.equal((await valueOf('sloth_slo_info')).metric['sloth_spec'], 'prometheus/v1');

  const burn = await valueOf('shop_requests:burnrate13m');
  assert.deepEqual(burn.metric, { __name__: 'shop_requests:burnrate13m', slo: 'shop-http', team: 'shop', job: 'shop' });
  assert.ok(Math.abs(burn.value - 0.2) < 0.01, String(burn.value));
  assert.equal((await valueOf('pyrra_objective{slo="shop-http"}')).value, 0.999);
  assert.equal((await valueOf('pyrra_window')).value, 6 * 86_400);
  assert.ok(Math.abs((await valueOf('pyrra_availability{slo="shop-http"}')).value - 0.8) < 0.01);
  assert.ok(Math.abs((await valueOf('sum(shop_requests:increase6d{code="500"})')).value - 2_800) < 100);

  const alertOf = (alertname: string, labels: Readonly<Record<string, string>>) =>
    poll(`the webhook of ${alertname}`, () =>
      receiver.received
        .flatMap(({ payload }) => payload.alerts)
        .find((alert) => Object.entries({ alertname, ...labels }).every(([name, value]) => alert.labels[name] === value)),
    );
  const page = await alertOf('ShopErrors', { sloth_severity: 'page' });
  assert.deepEqual([page.labels['severity'], page.labels['sloth_slo']], ['page', 'requests']);
  assert.match(page.annotations['title'] ?? '', /^\(page\) shop requests SLO error budget burn rate is too fast\.$/);
  const pyrra = await alertOf('ErrorBudgetBurn', { slo: 'shop-http', long: '13m' });
  assert.deepEqual([pyrra.labels['short'], pyrra.labels['severity'], pyrra.labels['team']], ['1m', 'critical', 'shop']);
  const own = await alertOf('SlaViolation', { sla: 'shop-goal', violation: 'burn_3600000_300000' });
  assert.match(own.annotations['description'] ?? '', /above 14\.4$/);

  const { groups } = (await nines.get<{ data: { groups: Group[] } }>('/api/v1/rules')).json.data;
  const generated = groups.filter(({ name }) => /^sloth-slo-|^shop-http/.test(name));
  assert.deepEqual(generated.map(({ name }) => name).sort(), [
    'shop-http',
    'shop-http-generic',
    'shop-http-increase',
    'sloth-slo-alerts-shop-requests',
    'sloth-slo-meta-recordings-shop-requests',
    'sloth-slo-sli-recordings-shop-requests',
  ]);
  for (const { name, health, lastError } of generated.flatMap(({ rules }) => rules))
    assert.notEqual(health, 'err', `${name}: ${lastError}`);

  type Sla = { status: string; budget: { unit: string; total: number; spent: number; remaining: number } };
  for (const id of ['shop-requests', 'shop-http', 'shop-goal']) {
    const { status, budget } = (await nines.get<Sla>(`/api/slas/${id}`)).json;
    assert.deepEqual([status, budget.unit, budget.remaining], ['breached', 'events', budget.total - budget.spent], id);
  }
  // Exactly what the counters say of closed slices: a fifth of all, in whole events.
  const { budget } = (await nines.get<Sla>('/api/slas/shop-goal')).json;
  assert.ok(budget.spent % 10 === 0 && budget.spent >= 2_700 && budget.spent <= 2_800, JSON.stringify(budget));
});
