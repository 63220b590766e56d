import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { NINES, type Nines, startNines } from '../harness/nines.ts';
import { type Target, startTarget } from '../harness/peers.ts';
import { poll } from '../harness/poll.ts';

/**
 * Two teams with twins of everything. The names of one contain "quokka", those of the other "zebra", and what belongs to both "okapi":
 * whoever belongs to one team must meet no word of the other in any answer.
 */
const TEAMS = ['quokka', 'zebra'] as const;
type Team = (typeof TEAMS)[number];
const FOREIGN = /zebra|okapi/i;

let nines: Nines;
let target: Target;
let administrator: Record<string, string>;
/** Of team quokka. */
let reader: Record<string, string>;
let operator: Record<string, string>;
const ids = new Map<string, string>();

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

const twin = (team: string, port: number): string => `
  - id: ${team}-api
    name: The ${team} API
    team: ${team}
    labels: { env: prod }
    owner: ${team} people
    checks:
      - { id: ${team}-http, kind: http, url: "http://127.0.0.1:${port}/", interval: 1s, timeout: 900ms }
      - { id: ${team}-gone, kind: http, url: "http://127.0.0.1:9/", interval: 1s, timeout: 900ms }`;

const config = (port: number): string => `
services:${TEAMS.map((team) => twin(team, port)).join('')}
  - id: okapi
    name: Okapi of both
    checks: [{ id: okapi-http, kind: http, url: "http://127.0.0.1:${port}/", interval: 1s, timeout: 900ms }]
slas:${TEAMS.map(
  (team) => `
  - { id: ${team}-sla, name: "Promise of ${team}", service: ${team}-api, indicator: { kind: availability }, target: "99%", window: { rolling: 7d } }`,
).join('')}
status_pages:${TEAMS.map(
  (team) => `
  - { id: ${team}-page, title: "Page of ${team}", services: [${team}-api] }`,
).join('')}
  - { id: okapi-page, title: Page of both, services: [quokka-api, zebra-api] }
maintenance:${TEAMS.map(
  (team) => `
  - { id: ${team}-window, name: "Work of ${team}", services: [${team}-api], from: "2031-01-01T00:00:00Z", to: "2031-01-01T01:00:00Z" }`,
).join('')}
  - { id: okapi-window, name: Work of okapi, services: [quokka-api, zebra-api], from: "2031-02-01T00:00:00Z", to: "2031-02-01T01:00:00Z" }
channels: [{ id: log, kind: log }]
routing: { default: [log] }
rules: { files: ['rules.yml'] }
oncall:
  people:${[...TEAMS, 'okapi']
    .map(
      (team) => `
    - { id: ${team}-anne, name: Anne of ${team}, contacts: [{ channel: log }] }`,
    )
    .join('')}
  schedules:${TEAMS.map((team) => schedule(team, `, team: ${team}`)).join('')}${schedule('okapi', '')}
`;

const schedule = (team: string, more: string): string => `
    - { id: ${team}-rota, name: Rota of ${team}${more}, layers: [{ name: all, start: "2026-01-05 09:00", members: [${team}-anne] }] }`;

/** Of each team: one that reads its series alone, one whose alerts carry it. Of both: one that reads everything. */
const RULES = `
groups:
  - name: all of them
    interval: 1s
    rules:${TEAMS.map(
      (team) => `
      - { alert: Orders of ${team}, expr: '${team}_orders_total{team="${team}"} > 0' }
      - { alert: Shops of ${team}, expr: 'vector(1) unless {shop=~"no-${team}"}', labels: { team: ${team} } }
      - { record: 'orders:${team}', expr: 'sum({service="${team}-api"})' }`,
    ).join('')}
      - { alert: Anything, expr: '{__name__=~".*_orders_total"} > 0' }
      - { alert: Cross, expr: '{__name__=~".*_orders_total"} unless {team="zebra"}' }
      - { alert: Okapi, expr: 'vector(1)' }
  - name: of zebra and okapi
    rules: [{ alert: Hidden, expr: 'absent(zebra_orders_total{team="okapi"})' }]
`;

async function make(path: string, body: unknown): Promise<{ readonly id: string }> {
  const answer = await nines.send<{ id: string }>('POST', path, body, administrator);
  assert.ok(answer.status < 300, `${path}: ${answer.text}`);
  return answer.json;
}

const idOf = (name: string): string => ids.get(name) ?? assert.fail(`no ${name}`);

before(async () => {
  target = await startTarget();
  nines = await startNines({ config: config(target.port), files: { 'rules.yml': RULES }, args: [] });
  const made = execFileSync(NINES, ['token', 'create', '--data', nines.dataDir, '--name', 'all', '--role', 'administrator'], {
    encoding: 'utf8',
  });
  administrator = bearer(/nines_\S+/.exec(made)?.[0] ?? assert.fail(made));
  const tokenOf = async (role: string): Promise<Record<string, string>> => {
    const answer = await nines.send<{ token: string }>(
      'POST',
      '/api/tokens',
      { name: `q-${role}`, role, teams: ['quokka'] },
      administrator,
    );
    assert.equal(answer.status, 201, answer.text);
    return bearer(answer.json.token);
  };
  reader = await tokenOf('read-only');
  operator = await tokenOf('operator');
  for (const team of TEAMS) await populate(team);
});
after(async () => {
  await nines?.[Symbol.asyncDispose]();
  await target?.[Symbol.asyncDispose]();
});

async function populate(team: Team): Promise<void> {
  const metrics = [{ name: `${team}_orders_total`, value: 3, labels: { team, shop: `${team}-shop` }, type: 'counter' }];
  assert.equal((await nines.send('POST', '/api/metrics', { metrics }, administrator)).status, 204);
  const alert = await poll(`the alert of ${team}`, async () => {
    const answer = await nines.get<{ items: { id: string; problem: string | null }[] }>(`/api/alerts?service=${team}-api`, administrator);
    return answer.json.items.find(({ problem }) => problem !== null);
  });
  ids.set(`${team} alert`, alert.id);
  ids.set(`${team} problem`, alert.problem ?? '');
  const matchers = [{ name: 'service', value: `${team}-api` }];
  const ends = new Date(Date.now() + 3_600_000).toISOString();
  ids.set(`${team} silence`, (await make('/api/silences', { matchers, ends_at_ms: Date.parse(ends), comment: `quiet, ${team}` })).id);
  ids.set(`${team} incident`, (await make('/api/incidents', { title: `Trouble of ${team}`, services: [`${team}-api`] })).id);
  const downtime = await poll(`the downtime of ${team}`, async () => {
    const answer = await nines.get<{ items: { id: string }[] }>(`/api/downtime?service=${team}-api`, administrator);
    return answer.json.items[0];
  });
  ids.set(`${team} downtime`, downtime.id);
}

/** What a parameter of an address may be filled with: names of the other team, and of the own one. */
function addressesOf(path: string, team: Team): readonly string[] {
  if (!path.includes('{')) return [path];
  const filled = (values: readonly string[]): string[] => values.map((value) => path.replaceAll(/\{[^}]+\}/g, encodeURIComponent(value)));
  if (path.startsWith('/api/oncall/')) return filled([`${team}-rota`, `${team}-anne`]);
  const things = [`${team}-api`, `${team}-http`, `${team}-sla`, `${team}-page`, `${team}-window`, `${team}_orders_total`, 'team', 'shop'];
  const found = ['alert', 'problem', 'silence', 'incident', 'downtime'].map((kind) => idOf(`${team} ${kind}`));
  return filled([...things, ...found]);
}

const QUERY = [
  `match[]={__name__!=""}&query={__name__!=""}&start=${Math.floor(Date.now() / 1000) - 600}&end=${Math.floor(Date.now() / 1000) + 600}&step=60`,
  `from=${Math.floor(Date.now() / 1000) - 600}&service=zebra-api&sla=zebra-sla&status=all&by=service&pattern=*orders*&window=10m&metric=zebra_orders_total`,
  `from=${Math.floor(Date.now() / 1000) - 600}&service=okapi&by=label:team&status=open&pattern={__name__!=""}&window=10m&limit=1`,
];

test('no answer of any GET route holds a word of another team', async () => {
  const book = await nines.get<{ paths: Record<string, Record<string, unknown>> }>('/api/openapi.json', administrator);
  const paths = Object.entries(book.json.paths).flatMap(([path, methods]) => ('get' in methods && path !== '/api/stream' ? [path] : []));
  assert.ok(paths.length > 60, `only ${paths.length} routes`);
  let open = 0;
  let words = 0;
  const seen = async (url: string): Promise<void> => {
    const answer = await fetch(`${nines.base}${url}`, { headers: reader });
    const text = await answer.text();
    assert.notEqual(answer.status, 500, `GET ${url}: ${text}`);
    assert.notEqual(answer.status, 429, `GET ${url}: ${text}`);
    // What was asked for may be repeated, in a refusal or as the question.
    if (answer.status >= 400) return;
    open++;
    if (text.includes('quokka')) words++;
    assert.doesNotMatch(text.replaceAll(/"(?:pattern|metric)":"(?:[^"\\]|\\.)*"/g, ''), FOREIGN, `GET ${url}`);
  };
  for (const path of paths) {
    const isOne = path.includes('{');
    const addresses = isOne ? TEAMS.flatMap((team) => addressesOf(path, team)) : [path];
    for (const address of addresses) {
      await seen(address);
      for (const query of isOne ? QUERY.slice(0, 1) : QUERY) await seen(`${address}?${encodeURI(query)}`);
    }
  }
  assert.ok(open > 40 && words > 15, `only ${open} answers, ${words} of them about one's own team: the test would not notice`);
});

test('what is outside is answered as what does not exist, word for word but for its name', async () => {
  const same = async (path: (id: string) => string, outside: string): Promise<void> => {
    const one = await nines.get(path(outside), reader);
    const other = await nines.get(path('nothing-at-all'), reader);
    assert.equal(one.status, 404, `${path(outside)}: ${one.text}`);
    assert.deepEqual([one.status, one.text.replaceAll(outside, 'X')], [other.status, other.text.replaceAll('nothing-at-all', 'X')]);
  };
  await same((id) => `/api/services/${id}`, 'zebra-api');
  await same((id) => `/api/services/${id}/timeline`, 'zebra-api');
  await same((id) => `/api/checks/${id}`, 'zebra-http');
  await same((id) => `/api/slas/${id}`, 'zebra-sla');
  await same((id) => `/api/slas/${id}/report`, 'zebra-sla');
  await same((id) => `/api/status-pages/${id}`, 'zebra-page');
  await same((id) => `/api/status-pages/${id}`, 'okapi-page');
  await same((id) => `/api/maintenance/${id}`, 'okapi-window');
  await same((id) => `/api/silences/${id}`, idOf('zebra silence'));
  for (const kind of ['alert', 'problem', 'incident'] as const) await same((id) => `/api/${kind}s/${id}`, idOf(`zebra ${kind}`));
  await same((id) => `/api/downtime/${id}`, idOf('zebra downtime'));
});

test("one's own things are all there, and counts count them alone", async () => {
  for (const path of [
    'services/quokka-api',
    'checks/quokka-http',
    'slas/quokka-sla',
    'slas/quokka-sla/report',
    'status-pages/quokka-page',
    'maintenance/quokka-window',
  ])
    assert.equal((await nines.get(`/api/${path}`, reader)).status, 200, path);
  for (const kind of ['alert', 'problem', 'incident', 'silence']) {
    const answer = await nines.get(`/api/${kind}s/${idOf(`quokka ${kind}`)}`, reader);
    assert.equal(answer.status, 200, answer.text);
  }
  const { json } = await nines.get<{ counts: { services: Record<string, number> } }>('/api/status', reader);
  assert.equal(
    Object.values(json.counts.services).reduce((sum, one) => sum + one, 0),
    1,
  );
  const all = await nines.get<{ counts: { services: Record<string, number> } }>('/api/status', administrator);
  assert.equal(
    Object.values(all.json.counts.services).reduce((sum, one) => sum + one, 0),
    3,
  );
  const series = await nines.get<{ data: { result: { metric: Record<string, string> }[] } }>(
    `/api/v1/query?query=${encodeURIComponent('probe_success')}`,
    reader,
  );
  assert.deepEqual([...new Set(series.json.data.result.map(({ metric }) => metric['team']))], ['quokka']);
});

test('rules are seen by what they read, by what comes of them and by their alerts, and no more of them than that', async () => {
  type Rule = { id: string; name: string; query: string; alerts_open: number };
  const rulesOf = async (headers: Record<string, string>): Promise<readonly Rule[]> =>
    (await nines.get<{ items: Rule[] }>('/api/rules', headers)).json.items.filter(({ id }) => id.startsWith('all of them/'));
  const mine = await poll('alerts of the rules', async () => {
    const rules = await rulesOf(reader);
    return rules.find(({ name }) => name === 'Cross')?.alerts_open === 1 && rules.find(({ name }) => name === 'Anything')?.alerts_open === 1
      ? rules
      : undefined;
  });
  assert.deepEqual(mine.map(({ name }) => name).sort(), ['Anything', 'Cross', 'Orders of quokka', 'Shops of quokka', 'orders:quokka']);
  const queryOf = (name: string): string | undefined => mine.find((rule) => rule.name === name)?.query;
  assert.equal(queryOf('Cross'), '[outside your scope]');
  assert.equal(queryOf('Orders of quokka'), 'quokka_orders_total{team="quokka"} > 0');
  const all = await rulesOf(administrator);
  assert.equal(all.find(({ name }) => name === 'Anything')?.alerts_open, 2, 'the other one is counted for who sees it');
  const { json } = await nines.get<{ data: { groups: { name: string; rules: { name: string; alerts?: unknown[] }[] }[] } }>(
    '/api/v1/rules',
    reader,
  );
  assert.deepEqual(
    json.data.groups.map(({ name, rules }) => [name, rules.map((rule) => rule.name).sort()]),
    [['all of them', ['Anything', 'Cross', 'Orders of quokka', 'Shops of quokka', 'orders:quokka']]],
  );
});

test("schedules of one's teams are seen, with who is in them; addresses and others' are not", async () => {
  const idsAt = async (path: string, key: string): Promise<unknown[]> =>
    (await nines.get<{ items: Record<string, unknown>[] }>(path, operator)).json.items.map((one) => one[key]);
  assert.deepEqual(await idsAt('/api/oncall/schedules', 'id'), ['quokka-rota']);
  assert.deepEqual(await idsAt('/api/oncall/who', 'schedule'), ['quokka-rota']);
  assert.deepEqual(await idsAt('/api/oncall/people', 'id'), ['quokka-anne']);
  for (const path of ['quokka-rota', 'quokka-rota/shifts', 'quokka-rota/gaps', 'quokka-rota/history'])
    assert.equal((await nines.get(`/api/oncall/schedules/${path}`, reader)).status, 200, path);
  for (const path of [
    'schedules/zebra-rota',
    'schedules/okapi-rota',
    'schedules/zebra-rota/shifts',
    'people/zebra-anne',
    'who?schedule=okapi-rota',
  ])
    assert.equal((await nines.get(`/api/oncall/${path}`, operator)).status, 404, path);
  const body = { person: 'quokka-anne', from: '2031-01-01T00:00:00Z', to: '2031-01-02T00:00:00Z' };
  assert.equal((await nines.send('POST', '/api/oncall/schedules/quokka-rota/overrides', body, operator)).status, 403);
});

test("what was sent about one's own alerts is seen, page by page", async () => {
  type Page = { items: { id: string; alerts: string[] }[]; next: string | null };
  const sent = await poll('messages about both teams', async () => {
    const { json } = await nines.get<Page>('/api/notifications?limit=1000', administrator);
    const about = (team: string) => json.items.some(({ alerts }) => alerts.includes(idOf(`${team} alert`)));
    return about('quokka') && about('zebra') ? json.items : undefined;
  });
  const mine: Page['items'] = [];
  for (let cursor = ''; ; ) {
    const { json } = await nines.get<Page>(`/api/notifications?limit=2${cursor}`, reader);
    mine.push(...json.items);
    if (json.next === null) break;
    cursor = `&cursor=${encodeURIComponent(json.next)}`;
  }
  const named = new Set(mine.flatMap(({ alerts }) => alerts));
  assert.ok(named.has(idOf('quokka alert')) && !named.has(idOf('zebra alert')));
  for (const id of named) assert.equal((await nines.get(`/api/alerts/${id}`, reader)).status, 200, id);
  assert.ok(mine.length < (await nines.get<Page>('/api/notifications?limit=1000', administrator)).json.items.length);
  assert.ok(sent.length > 0);
  assert.equal((await nines.get<Page>(`/api/notifications?alert=${idOf('zebra alert')}`, reader)).json.items.length, 0);
});

test('attack: paging through problems and incidents tells neither how many there are of others nor what they are called', async () => {
  for (const kind of ['problems', 'incidents']) {
    const path = `/api/${kind}?status=all&limit=1`;
    type Page = { readonly items: readonly { readonly id: string }[]; readonly next: string | null };
    const found: string[] = [];
    for (let cursor = ''; ; ) {
      const { json, text } = await nines.get<Page>(`${path}${cursor}`, reader);
      assert.equal(json.items.length, 1, `a page without anything on it: ${text}`);
      found.push(...json.items.map(({ id }) => id));
      if (json.next === null) break;
      assert.equal(json.next.split('~')[1], found.at(-1), 'the cursor names what was shown last');
      cursor = `&cursor=${encodeURIComponent(json.next)}`;
    }
    const whole = await nines.get<Page>(`/api/${kind}?status=all`, reader);
    assert.deepEqual(
      found,
      whole.json.items.map(({ id }) => id),
    );
    assert.ok(found.includes(idOf(`quokka ${kind.slice(0, -1)}`)), kind);
    const others = await nines.get<Page>(`${path}&service=zebra-api`, reader);
    assert.ok(others.status === 404 || (others.json.items.length === 0 && others.json.next === null), others.text);
  }
});

test('nothing outside can be changed, and nothing can be carried outside', async () => {
  const status = async (method: string, path: string, body?: unknown): Promise<number> =>
    (await nines.send(method, path, body, operator)).status;
  assert.equal(await status('POST', `/api/alerts/${idOf('zebra alert')}/acknowledge`, {}), 404);
  assert.equal(await status('POST', '/api/alerts/acknowledge', { ids: [idOf('zebra alert')] }), 404);
  assert.equal(await status('POST', `/api/alerts/${idOf('quokka alert')}/acknowledge`, {}), 200);
  assert.equal(await status('POST', `/api/incidents/${idOf('zebra incident')}/comments`, { text: 'x' }), 404);
  assert.equal(await status('DELETE', `/api/silences/${idOf('zebra silence')}`), 404);
  assert.equal(await status('PATCH', `/api/downtime/${idOf('zebra downtime')}`, { note: 'x' }), 404);
  assert.equal(await status('POST', '/api/services', { id: 'new', checks: [] }), 403);
  assert.equal(await status('POST', '/api/services', { id: 'new', team: 'zebra', checks: [] }), 403);
  assert.equal(await status('POST', '/api/services', { id: 'new', team: 'quokka', depends_on: ['zebra-api'], checks: [] }), 404);
  assert.equal(await status('POST', '/api/services', { id: 'new', team: 'quokka', checks: [] }), 201);
  assert.equal(await status('PUT', '/api/services/new', { id: 'new', team: 'zebra', checks: [] }), 403);
  assert.equal(await status('DELETE', '/api/services/zebra-api'), 404);
  const window = { id: 'w', services: ['zebra-api'], from: '2031-01-01T00:00:00Z', to: '2031-01-01T01:00:00Z' };
  assert.equal(await status('POST', '/api/maintenance', window), 404);
  assert.equal(await status('POST', '/api/incidents', { title: 'x', services: ['zebra-api'] }), 404);
  assert.equal(await status('POST', '/api/incidents', { title: 'x' }), 403);
});

test("values that are followed over the live stream are of one's own team alone", async () => {
  const ending = new AbortController();
  const name = 'scope-test-stream-1';
  const open = (headers: Record<string, string>) =>
    fetch(`${nines.base}/api/stream?topics=config&name=${name}`, { headers, signal: ending.signal });
  const follow = (headers: Record<string, string>) => {
    const queries = ['{__name__=~".+_orders_total"}', 'count({service=~".+"})'].map((expr, at) => ({ key: `${at}`, expr, step_ms: 1_000 }));
    return nines.send<{ queries: { error: unknown }[] }>('PUT', '/api/stream/queries', { stream: name, queries }, headers);
  };
  const heardBy = async (headers: Record<string, string>): Promise<string> => {
    const answer = await open(headers);
    const told = await follow(headers);
    assert.deepEqual(
      told.json.queries.map(({ error }) => error),
      [null, null],
    );
    let text = '';
    const decoder = new TextDecoder();
    for await (const piece of answer.body ?? assert.fail('no body')) {
      text += decoder.decode(piece as Uint8Array, { stream: true });
      if (/"key":"0"[\s\S]*"key":"1"|"key":"1"[\s\S]*"key":"0"/.test(text) && (text.match(/values\.changed/g) ?? []).length >= 3) break;
    }
    return text;
  };
  assert.equal((await follow(reader)).status, 404, 'a stream of that name is not open');
  const all = await heardBy(administrator);
  assert.match(all, /zebra_orders_total/);
  assert.equal((await follow(reader)).status, 404, "somebody else's stream is nobody's");
  const own = await heardBy(reader);
  assert.match(own, /quokka_orders_total/);
  assert.doesNotMatch(own, FOREIGN);
  ending.abort();
});

test('a silence is made inside the scope of whoever makes it, and says so', async () => {
  const body = { matchers: [{ name: 'severity', value: 'emergency' }], ends_at_ms: Date.now() + 3_600_000, comment: 'mine' };
  const made = await nines.send<{ id: string; matchers: unknown[] }>('POST', '/api/silences', body, operator);
  assert.deepEqual(made.json.matchers, [
    { name: 'severity', op: '=', value: 'emergency' },
    { name: 'team', op: '=', value: 'quokka' },
  ]);
  // One that holds back more than they see is read, and left alone.
  const wide = await make('/api/silences', { ...body, comment: 'all' });
  assert.equal((await nines.get(`/api/silences/${wide.id}`, operator)).status, 200);
  assert.equal((await nines.send('DELETE', `/api/silences/${wide.id}`, undefined, operator)).status, 403);
  assert.equal((await nines.send('DELETE', `/api/silences/${made.json.id}`, undefined, operator)).status, 204);
  assert.equal((await nines.send('DELETE', `/api/silences/${wide.id}`, undefined, administrator)).status, 204);
});

test("the live stream tells of one's own team alone, also of what was missed", async () => {
  const heard = async (headers: Record<string, string>, until: RegExp): Promise<string> => {
    const ending = new AbortController();
    const answer = await fetch(`${nines.base}/api/stream`, { headers, signal: ending.signal });
    assert.equal(answer.status, 200);
    let text = '';
    const decoder = new TextDecoder();
    for await (const piece of answer.body ?? assert.fail('no body')) {
      text += decoder.decode(piece as Uint8Array, { stream: true });
      if (until.test(text)) break;
    }
    ending.abort();
    return text;
  };
  const all = await heard(administrator, /zebra-http[\s\S]*quokka-http[\s\S]*zebra-http/);
  const first = /^id: (\d+)$/m.exec(all)?.[1] ?? assert.fail('no id');
  const missed = await heard({ ...reader, 'last-event-id': first }, /(?:quokka-http[\s\S]*){4}/);
  assert.doesNotMatch(missed, FOREIGN);
});
