/**
 * One whole server that is sent what an attacker would send: names of an object's own members as labels, formulas, patterns that take other
 * engines for ever, templates that reach for the engine behind them, paths that lead out, a label of a megabyte. What goes in must come
 * out as text at the other end, and nothing else may happen.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { listen } from '../harness/checks.ts';
import { type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';

/** Text before JSON.parse: an object literal would set the prototype instead. */
const MEMBERS = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'prototype'];
const LABELS = `{${MEMBERS.map((name) => `"${name}":"l-${name}"`).join(',')},"formula":"=1+1"}`;

const RULES = `
groups:
  - name: hostile
    interval: 1s
    rules:
      - alert: Hostile
        expr: hostile_value > 0
        labels: { severity: critical, own: '{{ $labels.__proto__ }}' }
        annotations:
          __proto__: 'own {{ $labels.__proto__ }}'
          constructor: '{{ $labels.constructor }}'
          absent: '[{{ $labels.valueOf }}]'
          reach: '{{ $value.constructor }}'
          summary: "two\\r\\nlines: {{ $labels.toString }}"
      - record: hostile:again
        expr: sum by (__proto__, constructor) (hostile_value)
`;
const config = (port: number): string => `
rules: { files: [rules.yml] }
channels: [{ id: hook, kind: webhook, url: 'http://127.0.0.1:${port}/' }]
routing: { tree: { receiver: r, group_by: [alertname, __proto__], group_wait: 0s }, receivers: [{ name: r, channels: [hook] }] }
`;

type Told = { readonly alerts: readonly { readonly labels: Record<string, string>; readonly annotations: Record<string, string> }[] };

/** What the webhook was told. */
async function receiver(t: TestContext): Promise<{ readonly port: number; readonly bodies: string[] }> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => void (text += String(chunk)));
    request.on('end', () => {
      bodies.push(text);
      response.end();
    });
  });
  return { port: await listen(t, server), bodies };
}

const own = (object: Record<string, string> | undefined, name: string): string | undefined =>
  object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined;

test('a server that is attacked by what it is told takes it for text', async (t) => {
  const { port, bodies } = await receiver(t);
  await using nines = await startNines({ config: config(port), files: { 'rules.yml': RULES } });
  await t.test('attack: labels that are called like members of every object are labels, from the write to the message', () =>
    members(nines, bodies),
  );
  await t.test('attack: formulas in exported tables are text to a spreadsheet', () => formulas(nines));
  await t.test('attack: patterns that take other engines for ever are answered or refused', () => patterns(nines));
  await t.test('attack: quotes and comments of SQL are names like others, and find nothing else', () => statements(nines));
  await t.test('attack: paths that lead out of the served files lead nowhere', () => pathsThatLeadOut(nines));
  await t.test('attack: a text of a megabyte is refused', () => hugeTexts(nines));
  assert.equal((await nines.get('/-/ready')).status, 200);
  assert.doesNotMatch(nines.output(), /"level":"error"| error /);
});

/** Prototype pollution: labels that are called like members of every object, from the write to the message. */
async function members(nines: Nines, bodies: readonly string[]): Promise<void> {
  const written = await nines.send('POST', '/api/metrics', `{"metrics":[{"name":"hostile_value","value":1,"labels":${LABELS}}]}`, {
    'content-type': 'application/json',
  });
  // A body with "__proto__" in it is refused as JSON by the native API; the wire formats take it as the label that it is.
  assert.ok([204, 400].includes(written.status), written.text);
  const line = `hostile_value{${MEMBERS.map((name) => `${name}="l-${name}"`).join(',')},formula="=1+1"} 1\n`;
  const pushed = await nines.send('POST', '/metrics/job/hostile', line, { 'content-type': 'text/plain' });
  assert.ok(pushed.status < 300, pushed.text);
  const query = async (expr: string): Promise<string> => (await nines.get(`/api/v1/query?query=${encodeURIComponent(expr)}`)).text;
  const found = await poll('the sample', async () => {
    const text = await query('hostile_value{__proto__="l-__proto__",constructor=~"l-.*",toString!=""}');
    return text.includes('"__proto__":"l-__proto__"') ? text : undefined;
  });
  const [{ metric } = { metric: {} }] = (JSON.parse(found) as { data: { result: { metric: Record<string, string> }[] } }).data.result;
  for (const name of MEMBERS) assert.equal(own(metric, name), `l-${name}`);
  assert.match(await query('count by (__proto__) (hostile_value)'), /"__proto__":"l-__proto__"/);
  assert.match(await query('label_replace(hostile_value, "valueOf", "$1", "__proto__", "(.*)")'), /"valueOf":"l-__proto__"/);
  assert.match((await nines.get('/api/v1/labels')).text, /"__proto__"/);
  assert.match((await nines.get('/api/v1/label/__proto__/values')).text, /l-__proto__/);
  assert.equal((await nines.get('/api/v1/label/valueOf/values')).text.includes('function'), false);
  const told = await poll('the message', () => bodies.find((body) => body.includes('Hostile')));
  const [alert] = (JSON.parse(told) as Told).alerts;
  for (const name of MEMBERS) assert.equal(own(alert?.labels, name), `l-${name}`, `${name} of the message`);
  assert.equal(own(alert?.labels, 'own'), 'l-__proto__');
  assert.equal(own(alert?.annotations, '__proto__'), 'own l-__proto__');
  assert.equal(own(alert?.annotations, 'absent'), '[]', 'a template reads labels and values, and nothing behind them');
  assert.match(own(alert?.annotations, 'reach') ?? '', /^<error expanding template: can't evaluate field constructor>$/);
  const listed = (JSON.parse((await nines.get('/api/alerts')).text) as { items: { labels: Record<string, string> }[] }).items;
  const shown = listed.find(({ labels }) => labels['alertname'] === 'Hostile');
  for (const name of MEMBERS) assert.equal(own(shown?.labels, name), `l-${name}`, `${name} of the alert`);
  await poll('the recorded series', async () => (await query('hostile:again')).includes('"__proto__":"l-__proto__"'));
  for (const format of ['json', 'csv', 'prometheus', 'openmetrics']) {
    const exported = await nines.get(`/api/export?format=${format}&query=${encodeURIComponent('hostile_value')}`);
    assert.ok(
      exported.status === 200 && exported.text.includes('l-__proto__'),
      `${format}: ${exported.status} ${exported.text.slice(0, 200)}`,
    );
  }
  assert.equal(({} as Record<string, unknown>)['l-__proto__'], undefined);
}

/** Formulas in exported tables, run by the spreadsheet that opens them. */
async function formulas(nines: Nines): Promise<void> {
  const cells = ['=cmd|x', '+1+1', '-2+3', '@SUM(A1)', '\t=1', '\r=1'];
  const lines = cells.map((cell, i) => `formula_value{i="${i}",cell="${cell.replace('\r', '\\r')}"} 1`).join('\n');
  const pushed = await nines.send('POST', '/metrics/job/formulas', `${lines}\n`, { 'content-type': 'text/plain' });
  assert.ok(pushed.status < 300, pushed.text);
  const csv = await poll('the samples', async () => {
    const { text } = await nines.get(`/api/export?format=csv&query=${encodeURIComponent('formula_value')}`);
    return text.split('\r\n').length > cells.length ? text : undefined;
  });
  for (const field of csv.split(/\r\n|,/)) assert.doesNotMatch(field.replace(/^"/, ''), /^[=+@\t]|^-(?!\d+(\.\d+)?$)/, field);
}

/** Regular expressions that make a backtracking engine take longer than the age of the universe. */
async function patterns(nines: Nines): Promise<void> {
  const text = 'a'.repeat(4_000);
  const pushed = await nines.send('POST', '/metrics/job/patterns', `pattern_value{text="${text}!"} 1\n`, { 'content-type': 'text/plain' });
  assert.ok(pushed.status < 300, pushed.text);
  const evil = ['^(a+)+$', '^(a|aa)+$', '^(a|a)*$', '(.*a){25}', '^([a-z]+)*$', '(x+x+)+y', '(a*)*b', '^(?:(a+)+b)$', '([a-zA-Z]+)*[0-9]$'];
  for (const pattern of evil) {
    const quoted = JSON.stringify(pattern);
    for (const expr of [`pattern_value{text=~${quoted}}`, `label_replace(pattern_value, "x", "$1", "text", ${quoted})`]) {
      const { status } = await nines.get(`/api/v1/query?query=${encodeURIComponent(expr)}`);
      assert.ok(status === 200 || status === 400 || status === 422, `${expr}: ${status}`);
    }
    const silence = await nines.send('POST', '/api/silences', {
      matchers: [{ name: 'text', value: pattern, is_regex: true }],
      ends_at_ms: Date.now() + 60_000,
      comment: pattern,
    });
    assert.ok(silence.status === 201 || silence.status === 400, silence.text);
  }
  const long = await nines.get(`/api/v1/query?query=${encodeURIComponent(`pattern_value{text=~"${'(a|b)'.repeat(1_500)}"}`)}`);
  assert.ok(long.status < 500, long.text.slice(0, 200));
  for (const expr of ['pattern_value{text=~"(a{1000}){1000}"}', 'pattern_value{text=~"(?=a)"}', 'pattern_value{text=~"(a)\\\\1"}']) {
    const { status } = await nines.get(`/api/v1/query?query=${encodeURIComponent(expr)}`);
    assert.equal(status, 400, expr);
  }
}

/** Texts that end a string of SQL and go on with a condition, another statement or a comment. */
async function statements(nines: Nines): Promise<void> {
  const evil = ["' OR '1'='1", "x'); DROP TABLE tokens; --", '" OR ""="', "%' OR name LIKE '%", '0; SELECT pg_sleep(60)', "\\'; --", 'x/*'];
  for (const name of evil) {
    const made = await nines.send('POST', '/api/tokens', { name, role: 'ingest' });
    assert.equal(made.status, 201, made.text);
    const text = encodeURIComponent(name);
    for (const path of [`/api/audit?object_kind=tokens&object_id=${text}`, `/api/audit?actor=${text}`, `/api/alerts?q=${text}`]) {
      const found = await nines.get(path);
      assert.equal(found.status, 200, found.text);
      assert.deepEqual((JSON.parse(found.text) as { items: unknown[] }).items, [], path);
    }
    assert.equal((await nines.send('DELETE', `/api/tokens/${text}`)).status, 404, name);
  }
  const { items } = JSON.parse((await nines.get('/api/tokens')).text) as { items: { name: string }[] };
  assert.deepEqual(items.map(({ name }) => name).sort(), [...evil].sort());
}

/** Paths as no client writes them, over a bare connection. */
async function pathsThatLeadOut(nines: Nines): Promise<void> {
  const ask = async (path: string): Promise<string> => {
    const socket = connect(nines.port, '127.0.0.1');
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    let text = '';
    socket.on('data', (chunk) => void (text += String(chunk)));
    await once(socket, 'close');
    return text;
  };
  const up = ['..', '%2e%2e', '%252e%252e', '..%00', '..%5c', '.%2e', '%c0%ae%c0%ae'];
  for (const step of up) {
    for (const start of ['', '/assets', '/status', '/status/x', '/api/reports', '/api/statements', '/api/incidents']) {
      for (const slash of ['/', '%2f', '\\']) {
        const answer = await ask(`${start}/${Array.from({ length: 8 }, () => step).join(slash)}${slash}etc${slash}passwd`);
        assert.doesNotMatch(answer, /root:.*:0:0:/, `${start} ${step} ${slash}`);
        assert.doesNotMatch(answer, /^HTTP\/1\.1 5/, answer.slice(0, 200));
      }
    }
  }
}

/** A label of a megabyte, alone and as the text of an alert. */
async function hugeTexts(nines: Nines): Promise<void> {
  const huge = 'x'.repeat(1_000_000);
  const pushed = await nines.send('POST', '/metrics/job/huge', `huge_value{text="${huge}"} 1\n`, { 'content-type': 'text/plain' });
  assert.ok(pushed.status >= 400 && pushed.status < 500, `${pushed.status}`);
  const alerts = await nines.send('POST', '/api/v2/alerts', [
    { labels: { alertname: 'Huge', text: huge }, annotations: { summary: huge } },
  ]);
  assert.ok(alerts.status < 500, `${alerts.status} ${alerts.text.slice(0, 200)}`);
}
