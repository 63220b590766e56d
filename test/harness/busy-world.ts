/**
 * An installation in use: services that are up, down and slow, promises, alerts that fire and that somebody has taken, an incident, a
 * silence, statements, a status page with an announcement, people, duties, routes, and a dashboard of every kind of panel.
 */
import { PANEL_KINDS, type PanelKind, SOURCES_OF, type SourceKind } from '@nines/server/dashboards/model.ts';
import { type Answer, type Nines, startNines } from './nines.ts';
import { type Target, startTarget } from './peers.ts';
import { poll } from './poll.ts';

export const PASSWORD = 'correct horse battery staple 9';
const HOUR_MS = 3_600_000;

export type BusyWorld = AsyncDisposable & {
  readonly nines: Nines;
  /** The administrator's, `name=value`. */
  readonly cookie: string;
  /** Ids of an open alert, of the incident and of the statement. */
  readonly ids: { readonly alert: string; readonly incident: string; readonly statement: string };
  get<T>(path: string): Promise<T>;
  send(method: string, path: string, body?: unknown): Promise<Answer<Readonly<Record<string, unknown>>>>;
};

const configOf = ({ url }: Target): string => `
channels:
  - { id: hook, kind: webhook, url: 'http://127.0.0.1:1/' }
  - { id: mail, kind: email, host: 127.0.0.1, port: 1, tls: none, from: a@example.org, to: b@example.org }
services:
  - id: shop
    name: Web shop
    team: web
    owner: platform
    tier: 1
    depends_on: [db]
    checks:
      - { id: shop-http, kind: http, url: '${url}/shop', interval: 1s, timeout: 1s }
      - { id: shop-port, kind: tcp, address: '127.0.0.1:1', interval: 1s, timeout: 1s }
  - id: db
    name: Database
    checks: [{ id: db-http, kind: http, url: '${url}/up', interval: 1s, timeout: 1s }]
  - { id: mail, name: Mail }
slas:
  - { id: shop-availability, name: Shop, service: shop, indicator: { kind: availability }, target: 99.9%, window: { rolling: 1h } }
  - id: db-latency
    service: db
    indicator: { kind: threshold, query: 'probe_duration_seconds{check="db-http"}', condition: '<', threshold: 100ms, slice: 1m }
    target: 99%
    window: { rolling: 1h }
oncall:
  people: [{ id: anne, name: Anne Berg, zone: Europe/Berlin }]
  schedules:
    - { id: platform, zone: Europe/Berlin, layers: [{ name: always, rotation: weekly, start: 2026-01-05 09:00, members: [anne] }] }
maintenance:
  - { id: move, name: Database move, services: [db], cron: '0 2 * * 0', zone: Europe/Berlin, duration: 2h }
status_pages:
  - { id: public, title: Shop status, services: [shop, db] }
rules:
  files: [rules.yml]
  thresholds:
    - { id: MEMORY_IN_USE, metric: system.memory.percent, condition: '>', threshold: 0.01, for: 0s, severity: warning }
scrape: { files: [prometheus.yml] }
`;
const RULES = JSON.stringify({
  groups: [
    {
      name: 'shop',
      interval: '1s',
      rules: [
        { record: 'shop:orders:rate1m', expr: 'rate(shop_orders_total[1m])' },
        {
          alert: 'QueueIsLong',
          expr: 'shop_queue_length > 10',
          labels: { severity: 'critical', service: 'shop' },
          annotations: { summary: 'The queue of {{ $labels.queue }} has {{ $value }} entries' },
        },
      ],
    },
  ],
});
const scrapeOf = ({ port }: Target): string =>
  JSON.stringify({
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [{ job_name: 'shop', static_configs: [{ targets: [`127.0.0.1:${port}`, '127.0.0.1:1'] }] }],
  });
const EXPOSITION = `# HELP shop_queue_length Entries that wait
# TYPE shop_queue_length gauge
shop_queue_length{queue="mails"} 12
shop_queue_length{queue="prints"} 3
# TYPE shop_orders_total counter
shop_orders_total 42
# TYPE shop_answer_seconds histogram
shop_answer_seconds_bucket{le="0.1"} 5
shop_answer_seconds_bucket{le="1"} 9
shop_answer_seconds_bucket{le="+Inf"} 10
shop_answer_seconds_sum 4.2
shop_answer_seconds_count 10
`;

/** What a kind of panel needs besides a source. */
const NEEDS: Partial<Readonly<Record<PanelKind, Readonly<Record<string, unknown>>>>> = {
  text: { markdown: '# How to read this\n\n- [Services](/services) and **what** they promise\n\n| a | b |\n| --- | --- |\n| 1 | 2 |' },
};

type Written = Readonly<Record<string, unknown>>;

/** One panel of each kind for each source that it draws; `promql` is what those ask that ask in PromQL. */
export function everyPanel(promql: Written): Readonly<Record<string, Written>> {
  return Object.fromEntries(
    PANEL_KINDS.flatMap((kind) => {
      const possible: readonly (SourceKind | 'words')[] = SOURCES_OF[kind].length === 0 ? ['words'] : SOURCES_OF[kind];
      return possible.map((from) => {
        const source = from === 'words' ? {} : { source: { from, ...(from === 'promql' && promql) } };
        return [
          `${kind}-${from}`.replaceAll('_', '-'),
          { kind, title: `${kind} of ${from}`.replaceAll('_', ' '), ...NEEDS[kind], ...source },
        ] as const;
      });
    }),
  );
}

export async function startBusyWorld(): Promise<BusyWorld> {
  const target = await startTarget();
  target.answerWith((request, response) => {
    if (request.url === '/metrics') response.setHeader('content-type', 'text/plain; version=0.0.4').end(EXPOSITION);
    else response.writeHead(request.url === '/up' ? 200 : 503).end('ok');
  });
  const files = { 'rules.yml': RULES, 'prometheus.yml': scrapeOf(target) };
  let nines: Nines | undefined;
  const end = async (): Promise<void> => {
    await nines?.[Symbol.asyncDispose]();
    await target[Symbol.asyncDispose]();
  };
  try {
    nines = await startNines({ config: configOf(target), files, args: [] });
    const asked = asAdministrator(nines, await enter(nines));
    return { ...asked, ids: await fill(asked), [Symbol.asyncDispose]: end };
  } catch (thrown) {
    await end();
    throw thrown;
  }
}

const OWN = { 'sec-fetch-site': 'same-origin' };

/** Sets the administrator up and returns the cookie of the session. */
async function enter(nines: Nines): Promise<string> {
  const token = /\/setup#token=([^\s"]+)/.exec(nines.output())?.[1];
  const entered = await nines.send('POST', '/api/setup', { token, name: 'ana', password: PASSWORD }, OWN);
  if (entered.status !== 204) throw new Error(`no administrator: ${entered.text}`);
  return entered.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
}

const asAdministrator = (nines: Nines, cookie: string): Omit<BusyWorld, 'ids' | typeof Symbol.asyncDispose> => ({
  nines,
  cookie,
  get: async <T>(path: string): Promise<T> => (await nines.get<T>(path, { cookie })).json,
  send: (method, path, body) => nines.send(method, path, body, { cookie, ...OWN }),
});

type Items = { readonly items: readonly { readonly id: string; readonly labels: Readonly<Record<string, string>> }[] };

async function fill({ get, send }: Pick<BusyWorld, 'get' | 'send'>): Promise<BusyWorld['ids']> {
  const make = async (path: string, body: unknown): Promise<string> => {
    const { status, json, text } = await send('POST', path, body);
    if (status >= 300) throw new Error(`${path}: ${status} ${text}`);
    return (json as { readonly id?: string } | undefined)?.id ?? '';
  };
  const at = (hours: number): string => new Date(Date.now() + hours * HOUR_MS).toISOString();
  const alertWith = (name: string, value: string): Promise<string> =>
    poll(
      `an alert with ${name}="${value}"`,
      async () => (await get<Items>('/api/alerts')).items.find(({ labels }) => labels[name] === value)?.id,
    );
  await poll('the outage of the shop', async () => (await get<Items>('/api/downtime?service=shop')).items.length > 0);
  await make('/api/alerts/acknowledge', { ids: [await alertWith('metric', 'system.memory.percent')] });
  const alert = await alertWith('alertname', 'QueueIsLong');
  const matchers = [{ name: 'job', op: '=', value: 'nobody' }];
  await make('/api/silences', { matchers, ends_at_ms: Date.now() + HOUR_MS, comment: 'new disk' });
  const incident = await make('/api/incidents', { title: 'Shop is down', severity: 'critical', services: ['shop'], alerts: [alert] });
  await make(`/api/incidents/${incident}/comments`, { text: 'We look at the queue.' });
  await make('/api/announcements', { title: 'Slow answers', pages: ['public'], services: ['shop'], text: 'We are on it.' });
  await make('/api/maintenance', { id: 'disk', name: 'New disk', services: ['db'], from: at(1), to: at(2) });
  await make('/api/slas/shop-availability/exclusions', { from: at(-0.5), to: at(-0.4), reason: 'customer_caused', note: 'Their network' });
  const statement = await make('/api/slas/shop-availability/statements', { from: at(-0.5), to: at(-0.1) });
  await make('/api/escalation/policies', { id: 'ladder', name: 'Ladder', levels: [{ after: '0s', targets: [{ person: 'anne' }] }] });
  await make('/api/tokens', { name: 'grafana', role: 'read-only' });
  await make('/api/roles', { id: 'looker', name: 'Looker', permits: { services: 'read' } });
  await make('/api/people', { name: 'Bo', role: 'read-only' });
  const panels = everyPanel({ queries: [{ expr: 'shop_queue_length', legend: '{{queue}}' }] });
  const layout = { kind: 'two_columns', sections: [{ title: 'All kinds', panels: Object.keys(panels) }] };
  const variables = [{ kind: 'query', name: 'queue', label: 'Queue', label_name: 'queue', multi: true, all: true }];
  const annotations = ['deployments', 'incidents', 'maintenance', 'alerts'].map((from) => ({ from }));
  await make('/api/dashboards', { id: 'every-kind', title: 'Every kind', panels, layout, variables, annotations, range: '5m' });
  return { alert, incident, statement };
}
