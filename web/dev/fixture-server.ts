/**
 * Serves the built pages with fixtures instead of the product: `node web/dev/fixture-server.ts [PORT] [empty|signed-out|many]`.
 * For work on the pages alone; it speaks the same content security policy as the product, so that what works here works there.
 */
import { readFileSync } from 'node:fs';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AREAS, VERBS } from '@nines/server/access/contract.ts';
import * as fixtures from './fixtures.ts';

const dist = fileURLToPath(new URL('../../dist/web', import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
const NONCE = 'fixture-nonce';
const CSP = `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${NONCE}'; connect-src 'self'; img-src 'self' data:; font-src 'self'; frame-ancestors 'none'`;

export type Scenario = 'full' | 'empty' | 'signed-out' | 'many';

function send(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function sendFile(response: ServerResponse, path: string): void {
  if (path.startsWith('/assets/')) {
    response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(readFileSync(dist + path));
    return;
  }
  const html = readFileSync(`${dist}/index.html`, 'utf8').replaceAll('__CSP_NONCE__', NONCE);
  response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': CSP }).end(html);
}

const CHANNEL = {
  id: 'hook',
  kind: 'webhook',
  target: 'http://127.0.0.1:9998/alerts',
  origin: 'nines.yml:4',
  revision: 0,
  takes_rest: true,
  fault: null,
};

/** A page that is the whole list, with how many are in each state. */
function counted(items: readonly unknown[]): object {
  const by_state = { up: 0, degraded: 0, down: 0, unknown: 0 };
  for (const { state } of items as readonly { readonly state: keyof typeof by_state }[]) by_state[state]++;
  return { items, next: null, total: items.length, by_state };
}

/** Answers of the API for one path; undefined when there is none. */
function answer(url: URL, acknowledged: ReadonlySet<string>, scenario: Scenario): unknown {
  const now = Date.now();
  const number = (name: string) => Number(url.searchParams.get(name));
  const list = (items: readonly unknown[]) => ({ items: scenario === 'empty' ? [] : items, next: null });
  const totalled = (page: ReturnType<typeof list>) => ({ ...page, total: page.items.length });
  const [, , area, id, sub] = url.pathname.split('/');
  switch (area) {
    case 'session':
      return {
        actor: { kind: 'user', id: 'u1', name: 'ana', role: 'administrator' },
        permissions: ['public', ...VERBS],
        permits: Object.fromEntries(AREAS.map((area) => [area, VERBS])),
        areas: {},
        scope: '',
        closed: [],
        landing: '/',
        open: false,
      };
    case 'services':
      if (sub === 'timeline') return fixtures.timelineOf(id ?? '', number('from') * 1000, number('to') * 1000, now);
      if (id !== undefined) return fixtures.service(id, now);
      return list(scenario === 'many' ? fixtures.manyServices(now) : fixtures.services(now));
    case 'checks':
      if (sub === 'failures') return list([fixtures.check(id ?? '', now)?.last_failure].filter((one) => one !== undefined));
      return id === undefined ? counted(list(fixtures.checks(now)).items) : fixtures.check(id, now);
    case 'downtime':
      return list(fixtures.downtimes(url.searchParams.get('service') ?? '', now));
    case 'slas':
      if (sub === 'violations') return list(fixtures.violations(id ?? '', now));
      return id === undefined ? list(fixtures.slas(now)) : fixtures.slas(now).find((sla) => sla.id === id);
    case 'alerts':
      if (id === 'counts') return fixtures.alertCounts(now, acknowledged);
      if (id === 'groups') return { items: [], total: 0 };
      if (sub === 'snapshot') return { snapshot: null };
      if (sub === 'history') return { from_at_ms: now - 2_592_000_000, to_at_ms: now, items: [] };
      if (id !== undefined) return fixtures.alerts(now, acknowledged).find((alert) => alert.id === id);
      return totalled(list(fixtures.alerts(now, acknowledged)));
    case 'silences':
    case 'deployments':
      return list([]);
    case 'metrics':
      return fixtures.host(now);
    case 'channels':
      return list([CHANNEL]);
    case 'notifications':
      return list([]);
    case 'tokens':
      return list([
        {
          id: 't1',
          name: 'prometheus',
          role: 'ingest',
          hint: 'nines_ab…',
          created_by: 'ana',
          created_at_ms: now - 9e8,
          expires_at_ms: null,
          last_used_at_ms: now - 4000,
        },
      ]);
    case 'v1':
      // A question about one instant has no step.
      if (id !== 'query_range') return { status: 'success', data: { resultType: 'vector', result: [] } };
      return fixtures.matrix(url.searchParams.get('query') ?? '', number('start'), number('end'), number('step'));
    default:
      return undefined;
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return parts.length === 0 ? undefined : (JSON.parse(Buffer.concat(parts).toString()) as unknown);
}

/** A server on a free port of the loopback. */
export function createFixtureServer(scenario: Scenario) {
  const acknowledged = new Set<string>();
  return createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (!url.pathname.startsWith('/api/')) return sendFile(response, url.pathname);
    if (scenario === 'signed-out') return send(response, { title: 'Not signed in', status: 401, code: 'unauthenticated' }, 401);
    if (url.pathname === '/api/stream') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n');
      return undefined;
    }
    if (request.method === 'POST') {
      return void bodyOf(request).then((body) => {
        for (const id of (body as { ids?: string[] } | undefined)?.ids ?? []) acknowledged.add(id);
        send(response, { items: [] });
      });
    }
    const body = answer(url, acknowledged, scenario);
    if (body === undefined)
      return send(response, { title: 'Not found', status: 404, code: 'not_found', detail: `There is nothing at ${url.pathname}.` }, 404);
    return send(response, body);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const scenario = (process.argv[3] ?? 'full') as Scenario;
  const server = createFixtureServer(scenario).listen(Number(process.argv[2] ?? 7072), '127.0.0.1', () => {
    process.stdout.write(`http://127.0.0.1:${(server.address() as { port: number }).port}\n`);
  });
}
