/**
 * A server whose every text was written by an attacker: names and labels in its configuration, samples, alerts, what checked services
 * answer, and every body of the API's own description.
 */
import { createServer } from 'node:http';
import type { TestContext } from 'node:test';
import { everyPanel } from './busy-world.ts';
import { listen } from './checks.ts';
import { type Given, type Schema, hostileBody, hostileText } from './hostile-texts.ts';
import { type Answer, type Nines, startNines } from './nines.ts';
import { poll } from './poll.ts';
import { startSmtp } from './smtp.ts';

const HOUR_MS = 3_600_000;
const H = hostileText(190);
const PASSWORD = 'correct horse battery staple 9';

export type HostileWorld = {
  readonly nines: Nines;
  readonly cookie: string;
  readonly mails: readonly string[];
  /** Ids of what was made, by the path that it was posted to. */
  readonly made: ReadonlyMap<string, string>;
  readonly described: Description;
  send(method: string, path: string, body?: unknown): Promise<Answer<Record<string, unknown>>>;
};
type Operation = {
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> };
};
export type Description = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

const labels = `{hostile="${H.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}",service="shop"}`;
const EXPOSITION = `# HELP hostile_value ${H}\n# TYPE hostile_value gauge\nhostile_value${labels} 1\n`;

function configOf(target: number, smtp: number): string {
  const url = `http://127.0.0.1:${target}`;
  const often = { interval: '1s', timeout: '1s' };
  return JSON.stringify({
    services: [
      {
        id: 'shop',
        name: H,
        description: hostileText(),
        owner: H,
        labels: { note: H },
        tags: [H.slice(0, 90)],
        runbook: 'javascript:window.__xss=1',
        checks: [{ id: 'shop-http', name: H, kind: 'http', url: `${url}/shop`, expect: { body_contains: H }, ...often }],
      },
      { id: 'wide', name: 'W'.repeat(200), checks: [{ id: 'wide-http', kind: 'http', url: `${url}/up`, ...often }], depends_on: ['shop'] },
    ],
    slas: [
      { id: 'shop-sla', name: H, service: 'shop', indicator: { kind: 'availability' }, target: '99.9%', window: { rolling: '1h' } },
      {
        id: 'value-sla',
        name: H,
        service: 'wide',
        target: '99%',
        window: { rolling: '1h' },
        indicator: { kind: 'threshold', query: 'hostile_value', condition: '<', threshold: 1, unit: '<b>"\'', slice: '1m' },
      },
    ],
    channels: [
      { id: 'mail', kind: 'email', host: '127.0.0.1', port: smtp, tls: 'none', from: 'nines@example.org', to: 'ops@example.org' },
      { id: 'page', kind: 'dashboard' },
    ],
    routing: { default: ['mail', 'page'] },
    maintenance: [{ id: 'move', name: H, services: ['wide'], cron: '0 2 * * 0', zone: 'Europe/Berlin', duration: '2h' }],
    status_pages: [
      {
        id: 'public',
        title: hostileText(120),
        description: H,
        subscriptions: { email: 'mail', webhook: true },
        services: [{ service: 'shop', name: H, description: H }],
        groups: [{ name: hostileText(110), services: ['wide'] }],
      },
    ],
    rules: { files: ['rules.yml'] },
    scrape: { files: ['prometheus.yml'] },
  });
}

/** A rule's own words are templates; these say the same. */
const templated = (text: string): string => text.replaceAll('{{', '{{"{{"}}');
const RULES = JSON.stringify({
  groups: [
    {
      name: H,
      interval: '1s',
      rules: [
        {
          alert: 'Hostile',
          expr: 'hostile_value > 0',
          labels: { severity: 'critical', team: templated(H), service: 'shop' },
          annotations: {
            summary: templated(hostileText()),
            description: '{{ $labels.hostile }}',
            runbook_url: 'javascript:window.__xss=1',
          },
        },
        { alert: H, expr: 'hostile_value > 0', labels: { severity: 'warning' }, annotations: { summary: templated(H) } },
      ],
    },
  ],
});
const scrapeOf = (target: number): string =>
  JSON.stringify({
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [
      { job_name: H, static_configs: [{ targets: [`127.0.0.1:${target}`], labels: { hostile: H } }] },
      { job_name: 'broken', metrics_path: '/shop', static_configs: [{ targets: [`127.0.0.1:${target}`] }] },
    ],
  });

/** A service that fails with markup, and one that has hostile metrics. */
async function startTarget(t: TestContext): Promise<number> {
  const server = createServer((request, response) => {
    if (request.url === '/metrics') response.end(EXPOSITION);
    else if (request.url === '/up') response.end('ok');
    else response.writeHead(500, PAYLOAD_REASON, { 'content-type': 'text/html' }).end(hostileText());
  });
  return listen(t, server);
}
const PAYLOAD_REASON = '<img src=x onerror=window.__xss=1>';

/** What a body needs besides texts, in an order in which each finds what it names. `made` knows the ids of those before. */
type Made = ReadonlyMap<string, string>;
const soon = (hours: number): string => new Date(Date.now() + hours * HOUR_MS).toISOString();
const ALERT = { labels: { alertname: 'Sent', service: 'shop', severity: 'critical', hostile: H, '<b>"\'': H } };
const BODIES: readonly (readonly [method: string, path: string, given: (made: Made) => Given])[] = [
  ['post', '/api/services', () => ({ id: 'made', depends_on: ['shop'], tier: 1 })],
  [
    'post',
    '/api/slas',
    () => ({
      id: 'made-sla',
      service: 'made',
      indicator: { kind: 'availability' },
      target: '99%',
      window: { rolling: '1h', anchor: undefined },
    }),
  ],
  ['post', '/api/maintenance', () => ({ id: 'made-window', services: ['made'], from: soon(1), to: soon(2) })],
  ['post', '/api/announcements', () => ({ pages: ['public'], services: ['shop'] })],
  ['post', '/api/announcements/{id}/updates', () => ({ state: 'identified' })],
  ['post', '/api/incidents', () => ({ services: ['shop'], alerts: [], severity: 'critical', category: 'application' })],
  ['post', '/api/incidents/{id}/comments', () => ({})],
  ['post', '/api/incidents/{id}/actions', () => ({})],
  ['post', '/api/incidents/{id}/links', () => ({ kind: 'change' })],
  ['post', '/api/incidents/{id}/state', () => ({ state: 'acknowledged', revision: undefined })],
  ['put', '/api/incidents/{id}/post-mortem', () => ({ revision: 0 })],
  ['post', '/api/oncall/people', () => ({ id: 'anne', contacts: [{ channel: 'mail', to: 'anne@example.org' }] })],
  [
    'post',
    '/api/oncall/schedules',
    () => ({ id: 'rota', gap_alarm: 'off', layers: [{ rotation: 'daily', start: '2026-01-05', members: ['anne'] }] }),
  ],
  ['post', '/api/oncall/schedules/{id}/overrides', () => ({ person: 'anne', from: soon(1), to: soon(2) })],
  ['post', '/api/escalation/policies', () => ({ id: 'ladder', levels: [{ after: '0s', targets: [{ person: 'anne' }] }] })],
  ['post', '/api/channels', () => ({ channel: { id: 'hostile', kind: 'slack', token: H, channel: H }, takes_rest: false })],
  [
    'put',
    '/api/incident-rules',
    () => ({
      rules: {
        open: [{ id: 'hostile', why: H, severities: ['critical'], match: [{ name: 'hostile', value: H }] }],
        categories: [{ id: 'hostile', why: H, category: 'data' }],
        severities: [],
        escalation: [],
        resolve_after_ms: null,
      },
      revision: 0,
    }),
  ],
  ['post', '/api/silences', () => ({ matchers: [{ name: 'hostile', op: '=' }], ends_at_ms: Date.now() + HOUR_MS, annotations: undefined })],
  ['post', '/api/tokens', () => ({ role: 'read-only', permits: undefined, actions: undefined, addresses: undefined, teams: undefined })],
  ['post', '/api/roles', () => ({ id: 'mine', permits: { services: 'read' }, teams: undefined })],
  ['post', '/api/people', () => ({ role: 'read-only', email: undefined })],
  ['post', '/api/status-pages', () => ({ id: 'second', services: ['shop'], private: undefined, webhooks: undefined, groups: undefined })],
  ['put', '/api/report-templates/{id}', () => ({ id: 'letter', sections: [{ title: H, text: H }, 'services'] })],
  ['post', '/api/dashboards', () => dashboardOf()],
  ['post', '/api/slas/{id}/exclusions', () => ({ from: soon(-0.5), to: soon(-0.4), reason: 'customer_caused' })],
  ['post', '/api/slas/{id}/statements', () => ({ from: soon(-0.5), to: soon(-0.1) })],
  ['post', '/api/reports', () => ({ sla: 'shop-sla', service: undefined, from: soon(-0.5), to: soon(-0.1) })],
  ['patch', '/api/downtime/{id}', () => ({ reason: 'network_issue' })],
  ['post', '/api/alerts/{id}/comment', () => ({ assignee: undefined })],
  ['post', '/api/alerts/{id}/assign', () => ({})],
  ['post', '/api/alerts/{id}/acknowledge', () => ({ assignee: undefined })],
];

/** A dashboard whose every word is hostile, with a panel of each kind. */
function dashboardOf(): Given {
  const query = { expr: 'hostile_value', legend: `{{hostile}} ${H.slice(0, 150)}` };
  const kinds = Object.entries(everyPanel({ queries: [query] }));
  const panels = Object.fromEntries(
    kinds.map(([id, panel]) => [
      id,
      { ...panel, title: H, description: hostileText(), ...(panel['kind'] === 'text' && { markdown: hostileText() }) },
    ]),
  );
  return {
    id: 'hostile',
    panels,
    layout: { kind: 'two_columns', sections: [{ title: H, panels: Object.keys(panels) }] },
    variables: [
      { kind: 'query', name: 'asked', label: H, label_name: 'hostile', match: 'hostile_value', multi: true, all: true },
      { kind: 'list', name: 'listed', label: H, values: [H, hostileText(100)] },
      { kind: 'text', name: 'said', label: H, value: H },
    ],
    annotations: [
      { from: 'promql', title: H, expr: 'hostile_value' },
      { from: 'alerts', title: H },
    ],
    range: '5m',
  };
}
/** Bodies that end what the crawl needs, or that are of other tests. */
const LEFT_OUT =
  /^\/api\/(?:setup|password|config\/restore|backups|session|join|factors|session\/.*|people\/\{id\}.*|alerts\/(?!comment).*)$/;

const PARAMETERS: Readonly<Record<string, string>> = { slas: 'shop-sla', 'report-templates': 'letter' };
/** `/api/incidents/{id}/…` with the id that was made at `/api/incidents`. */
const pathWith = (path: string, made: Made): string =>
  path.replace(
    /^(\/api\/(.*?))\/\{id\}/,
    (_, at: string, kind: string) => `${at}/${encodeURIComponent(PARAMETERS[kind] ?? made.get(at) ?? H)}`,
  );

export async function startHostileWorld(t: TestContext): Promise<HostileWorld> {
  const [target, smtp] = [await startTarget(t), await startSmtp(t)];
  const files = { 'rules.yml': RULES, 'prometheus.yml': scrapeOf(target) };
  const nines = await startNines({ config: configOf(target, smtp.port), files, args: [] });
  t.after(() => nines[Symbol.asyncDispose]());
  const token = /\/setup#token=([^\s"]+)/.exec(nines.output())?.[1];
  const headers = { 'user-agent': PAYLOAD_REASON, 'sec-fetch-site': 'same-origin' };
  const entered = await nines.send('POST', '/api/setup', { token, name: hostileText(100), password: PASSWORD }, headers);
  if (entered.status !== 204) throw new Error(`no administrator: ${entered.text}`);
  const cookie = entered.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
  const made = new Map<string, string>();
  const described = (await nines.get<Description>('/api/openapi.json', { cookie })).json;
  const send: HostileWorld['send'] = (method, path, body) => nines.send(method, path, body, { cookie, ...headers });
  const world = { nines, cookie, mails: smtp.mails, made, described, send };
  await plant(world, made);
  return world;
}

async function plant(world: HostileWorld, made: Map<string, string>): Promise<void> {
  const { nines, cookie, send } = world;
  const pushed = await nines.send('POST', '/metrics/job/hostile', EXPOSITION, { cookie, 'sec-fetch-site': 'same-origin' });
  if (pushed.status >= 300) throw new Error(`samples are refused: ${pushed.text}`);
  const sent = await send('POST', '/api/v2/alerts', [
    { ...ALERT, annotations: { summary: hostileText() }, generatorURL: 'javascript:window.__xss=1' },
  ]);
  if (sent.status !== 200) throw new Error(`alerts are refused: ${sent.text}`);
  const first = async (path: string): Promise<string> =>
    poll(path, async () => {
      const { json } = await send('GET', path);
      const [one] = ((json['items'] ?? json['downtimes'] ?? json['services']) as { id: string }[] | undefined) ?? [];
      return one?.id;
    });
  // One that is pending may be gone again before anything is said about it.
  made.set('/api/alerts', await first('/api/alerts?status=firing'));
  made.set('/api/downtime', await first('/api/downtime?service=shop'));
  const refused: string[] = [];
  for (const [method, path, given] of BODIES) {
    const answer = await sendHostile(world, method, path, given(made));
    if (answer.status >= 300) refused.push(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 400)}`);
    const { id } = (answer.json ?? {}) as { readonly id?: unknown };
    made.set(path, typeof id === 'string' ? id : '');
  }
  if (refused.length > 0) throw new Error(`these bodies reach no page, because they are refused:\n${refused.join('\n')}`);
  const known = new Set(BODIES.map(([method, path]) => `${method} ${path}`));
  for (const [path, operations] of Object.entries(world.described.paths)) {
    for (const method of Object.keys(operations)) {
      if (method === 'get' || method === 'delete' || known.has(`${method} ${path}`) || LEFT_OUT.test(path)) continue;
      const answer = await sendHostile(world, method, path, {});
      if (answer?.status >= 500) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    }
  }
}

/** With signs that control terminals first; where those are refused, without them. */
async function sendHostile({ described, send, made }: HostileWorld, method: string, path: string, given: Given): Promise<Answer> {
  const schema = described.paths[path]?.[method]?.requestBody?.content?.['application/json']?.schema ?? {};
  const at = pathWith(path, made).replace(/\{\w+\}/g, encodeURIComponent(H));
  const bodyWith = (control: boolean) => hostileBody(schema, given, (maxChars) => hostileText(maxChars, { control }));
  const answer = await send(method.toUpperCase(), at, bodyWith(true));
  return answer.status === 400 || answer.status === 422 ? send(method.toUpperCase(), at, bodyWith(false)) : answer;
}
