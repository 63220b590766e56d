/** The installation that is photographed: a web shop with a month behind it and one service that does not answer. */
import { type Nines, startNines } from '../../test/harness/nines.ts';
import { type Receiver, type Target, startReceiver, startTarget } from '../../test/harness/peers.ts';
import { poll } from '../../test/harness/poll.ts';
import { DAY_MS, DOWN_TODAY, SERVICES, bringIn } from './month.ts';

const MINUTE_MS = 60_000;
const QUEUES = 25;

export type Shop = AsyncDisposable & {
  readonly nines: Nines;
  readonly incident: string;
  readonly statement: string;
};

const serviceOf = ({ url }: Target, { id, name, tier, dependsOn }: (typeof SERVICES)[number]): string => `
  - id: ${id}
    name: ${name}
    tier: ${tier}
    owner: platform
    depends_on: [${dependsOn.join(', ')}]
    checks:
      - { id: ${id}-http, kind: http, url: '${url}/${id}', interval: 2s, timeout: 1s, expect: { status: [200] } }`;

const configOf = (target: Target, receiver: Receiver): string => `
channels:
  - { id: hook, kind: webhook, url: '${receiver.url}' }
routing: { default: [hook] }
services:${SERVICES.map((service) => serviceOf(target, service)).join('')}
slas:
${SERVICES.filter(({ tier }) => tier < 3)
  .map(
    ({ id, name, tier }) =>
      `  - { id: ${id}-availability, name: ${name}, service: ${id}, indicator: { kind: availability }, target: ${tier === 1 ? '99.9%' : '99.5%'}, window: { rolling: 30d } }`,
  )
  .join('\n')}
  - id: checkout-latency
    name: Checkout answers within a second
    service: checkout
    indicator: { kind: threshold, query: 'probe_duration_seconds{check="checkout-http"}', condition: '<', threshold: 1s, slice: 1m }
    target: 99%
    window: { rolling: 7d }
oncall:
  people:
    - { id: anne, name: Anne Berg, zone: Europe/Berlin }
    - { id: luc, name: Luc Morel, zone: Europe/Paris }
  schedules:
    - { id: platform, name: Platform, zone: Europe/Berlin, layers: [{ name: week, rotation: weekly, start: 2026-01-05 09:00, members: [anne, luc] }] }
maintenance:
  - { id: move, name: Move of the mail server, services: [mail], cron: '0 2 * * 0', zone: Europe/Berlin, duration: 2h }
status_pages:
  - id: public
    title: Shop status
    description: How our services fare.
    zone: Europe/Berlin
    services: [web-shop, checkout, payments]
    groups: [{ name: For developers, services: [search, catalogue, sign-in] }]
  - id: kunden
    title: Unsere Dienste
    description: Was Kunden sehen.
    language: de
    zone: Europe/Berlin
    services: [web-shop, checkout, payments, search]
rules:
  files: [rules.yml]
scrape: { files: [prometheus.yml] }
`;

const RULES = `
groups:
  - name: queues
    interval: 1s
    rules:
      - alert: QueueIsLong
        expr: shop_queue_length > 100
        labels: { severity: warning, service: mail }
        annotations: { summary: 'The queue {{ $labels.queue }} has {{ $value }} entries' }
      - alert: DiskFillsUp
        expr: 100 * (1 - node_filesystem_avail_bytes{instance="db-1"} / node_filesystem_size_bytes) > 30
        labels: { severity: critical, service: orders }
        annotations: { summary: 'The disk of {{ $labels.instance }} is {{ $value | printf "%.0f" }} % full' }
`;
const scrapeOf = ({ port }: Target): string => `
global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs: [{ job_name: queues, static_configs: [{ targets: ['127.0.0.1:${port}'] }] }]
`;
const EXPOSITION = [
  '# HELP shop_queue_length Entries that wait',
  '# TYPE shop_queue_length gauge',
  ...Array.from({ length: QUEUES }, (_, i) => `shop_queue_length{queue="mails-${String(i + 1).padStart(2, '0')}"} ${110 + 7 * i}`),
  '',
].join('\n');

const rate = (metric: string): string => `sum by (job) (rate(${metric}[5m]))`;
const FAILED = `100 * ${rate('http_requests_total{code="503"}')} / ${rate('http_requests_total')}`;
const asked = (expr: string) => ({ from: 'promql', queries: [{ expr, legend: '{{job}}' }] });
const dashboard = {
  id: 'shop',
  title: 'Shop',
  range: '24h',
  layout: { kind: 'three_columns', sections: [{ title: '', panels: ['users', 'revenue', 'budgets', 'requests', 'answers', 'failed'] }] },
  panels: {
    users: { kind: 'card', title: 'Active users', source: asked('sum(active_users)') },
    revenue: { kind: 'card', title: 'Revenue in an hour', source: asked('sum(increase(shop_revenue_euros_total[1h]))') },
    budgets: {
      kind: 'slo_budget',
      title: 'Budgets',
      source: { from: 'slas', ids: ['payments-availability', 'checkout-availability'], figure: 'budget_left' },
    },
    requests: { kind: 'line', title: 'Requests', unit: 'per_second', source: asked(rate('http_requests_total')) },
    answers: {
      kind: 'heatmap',
      title: 'How long answers take',
      unit: 'per_second',
      source: asked('sum by (le) (rate(http_request_duration_seconds_bucket{job="checkout"}[10m]))'),
    },
    failed: { kind: 'line', title: 'Answers that failed', unit: 'percent', source: asked(FAILED) },
  },
  annotations: [{ from: 'deployments' }, { from: 'incidents' }],
};

export async function openShop(nowMs: number): Promise<Shop> {
  await using stack = new AsyncDisposableStack();
  const target = stack.use(await startTarget());
  target.answerWith((request, response) => {
    if (request.url === '/metrics') response.setHeader('content-type', 'text/plain; version=0.0.4').end(EXPOSITION);
    else response.writeHead(request.url === `/${DOWN_TODAY}` ? 503 : 200).end('ok');
  });
  const receiver = stack.use(await startReceiver());
  const files = { 'rules.yml': RULES, 'prometheus.yml': scrapeOf(target) };
  const nines = stack.use(await startNines({ config: configOf(target, receiver), files }));
  await bringIn(nines, nowMs);
  const made = { nines, ...(await livelyDay(nines, nowMs)) };
  const kept = stack.move();
  return { ...made, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

type Items = { readonly items: readonly { readonly id: string; readonly rule: string; readonly service: string | null }[] };

/** What people did today: an incident on what is down, a statement of last week, a maintenance to come. */
async function livelyDay(nines: Nines, nowMs: number): Promise<{ readonly incident: string; readonly statement: string }> {
  const make = async (path: string, body: unknown): Promise<string> => {
    const { status, json, text } = await nines.send<{ readonly id?: string } | undefined>('POST', path, body);
    if (status >= 300) throw new Error(`${path}: ${status} ${text}`);
    return json?.id ?? '';
  };
  const at = (days: number): string => new Date(nowMs + days * DAY_MS).toISOString();
  const alerts = await poll('the alerts of today', async () => {
    const { items } = (await nines.get<Items>('/api/alerts?limit=200')).json;
    const isThere =
      items.some(({ service }) => service === DOWN_TODAY) && items.filter(({ rule }) => rule === 'queues/QueueIsLong').length === QUEUES;
    return isThere ? items : undefined;
  });
  const ids = alerts.filter(({ service }) => service === DOWN_TODAY).map(({ id }) => id);
  const incident = await make('/api/incidents', {
    title: 'Search answers 503',
    summary: 'Every search fails since the index was rebuilt.',
    severity: 'critical',
    services: [DOWN_TODAY, 'web-shop'],
    alerts: ids,
    started_at: new Date(nowMs - 4 * MINUTE_MS).toISOString(),
  });
  await make(`/api/incidents/${incident}/comments`, { text: 'The new index has no replicas; the old one is still on disk.' });
  await make(`/api/incidents/${incident}/state`, { state: 'investigating', comment: 'Going back to yesterday’s index.' });
  await make(`/api/incidents/${incident}/actions`, { text: 'Alert when an index has no replica', owner: 'Anne Berg' });
  await make('/api/announcements', {
    title: 'Search does not answer',
    pages: ['public'],
    services: [DOWN_TODAY],
    text: 'We know why and are on it.',
  });
  await make('/api/maintenance', { id: 'disk', name: 'New disk for orders', services: ['orders'], from: at(1), to: at(1.1) });
  await make('/api/channels/hook/test', {});
  await make('/api/deployments', { service: DOWN_TODAY, version: 'v2.31.0', at_ms: nowMs - 9 * MINUTE_MS, by: 'pipeline' });
  await make('/api/deployments', { service: 'checkout', version: 'v5.8.1', at_ms: nowMs - 7 * 60 * MINUTE_MS, by: 'pipeline' });
  await make('/api/dashboards', dashboard);
  const statement = await make('/api/slas/checkout-availability/statements', { from: at(-14), to: at(-7) });
  return { incident, statement };
}
