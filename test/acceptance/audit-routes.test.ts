/**
 * Every route of the real server against the audit log (attack: doing or reading something through the one route that nobody thought
 * of, and leaving no trace). A new route that changes something is recorded, or says here why not.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { keptOfRoute } from '@nines/server/audit/hook.ts';
import { type AppRoute, type StartedApp, startApp } from '../harness/app.ts';
import { HOUSE } from '../harness/nines.ts';

type Why = { readonly done: readonly string[] } | { readonly why: string };
const done = (...actions: readonly string[]): Why => ({ done: actions });
const why = (reason: string): Why => ({ why: reason });

const LOOKS = why('only looks at what was sent, and changes nothing');
const READS = why('a query that comes by POST');
const INGEST = why('samples and alerts that arrive are no changes; the token that sends them is in the log');
const ASKS = why('makes a challenge that ends by itself; the answer to it is recorded');
/** An entry for each would let anybody who can reach the page fill the log. */
const VISITOR = why('visitors of a page concern themselves alone; what an administrator does to them is recorded');
const IN_ALERT = why('stands in the history of the alert with who; what is not genuine changes nothing');

/** What no hook records: the entries that the domain writes in the transaction of the change, or why there is none. */
const OTHERWISE: Readonly<Record<string, Why>> = {
  'POST /api/setup': done('user.created', 'session.started'),
  'POST /api/session': done('session.started'),
  'DELETE /api/session': done('session.ended'),
  'DELETE /api/sessions': done('session.revoked'),
  'DELETE /api/sessions/:id': done('session.revoked'),
  'POST /api/password': done('password.changed'),
  'POST /api/password/judge': LOOKS,
  'POST /api/join/look': LOOKS,
  'POST /api/join': done('invitation.accepted', 'password.reset'),
  'GET /api/sso/:provider/start': ASKS,
  'GET /api/sso/:provider/callback': done('session.started', 'identity.linked', 'user.created', 'user.role_changed'),
  'POST /api/session/passkey/options': ASKS,
  'POST /api/session/passkey': done('factor.shown', 'session.started', 'passkey.refused'),
  'POST /api/session/factor/options': ASKS,
  'POST /api/session/factor': done('factor.shown', 'recovery_code.used', 'session.started'),
  'POST /api/session/proof/options': ASKS,
  'POST /api/session/proof': done('session.proved'),
  'POST /api/factors/totp': ASKS,
  'POST /api/factors/totp/confirm': done('factor.added'),
  'DELETE /api/factors/totp': done('factor.removed'),
  'POST /api/factors/recovery-codes': done('recovery_codes.made'),
  'POST /api/factors/passkeys/options': ASKS,
  'POST /api/factors/passkeys': done('factor.added'),
  'DELETE /api/factors/passkeys/:id': done('factor.removed'),
  'POST /api/analytics/forecast': LOOKS,
  'POST /api/analytics/anomalies': LOOKS,
  'POST /api/analytics/seasonality': LOOKS,
  'POST /api/analytics/capacity': LOOKS,
  'POST /api/analytics/load': LOOKS,
  'POST /api/analytics/load/import': LOOKS,
  'POST /api/analytics/regression': LOOKS,
  'POST /api/analytics/correlation': LOOKS,
  'POST /api/analytics/drift': LOOKS,
  'POST /api/slas/:id/what-if': LOOKS,
  'POST /api/report-templates/preview': LOOKS,
  'POST /api/rules/backtest': LOOKS,
  'POST /api/silences/preview': LOOKS,
  'POST /api/routing/test': LOOKS,
  'POST /api/escalation/policies/preview': LOOKS,
  'POST /api/incident-rules/preview': LOOKS,
  'POST /api/v1/format_query': LOOKS,
  'POST /api/v1/parse_query': LOOKS,
  'POST /api/channels/:id/subscriptions': why('a browser asks for pushes to itself; its keys are secret'),
  'POST /api/channels/:id/unsubscribe': why('a browser ends pushes to itself'),
  'POST /api/channels/:id/callback': IN_ALERT,
  'POST /acknowledge/:token': IN_ALERT,
  'PUT /api/stream/queries': why('which figures one page follows; it ends with the stream of that page'),
  'PUT /api/preferences': why('where one begins, and what one put away: nobody else sees or meets it'),
  'POST /api/metrics': INGEST,
  'POST /api/v2/alerts': INGEST,
  'POST /api/v1/write': INGEST,
  'POST /api/v1/otlp/v1/metrics': INGEST,
  'POST /write': INGEST,
  'POST /api/v2/write': INGEST,
  'PUT /metrics/job/*': INGEST,
  'POST /metrics/job/*': INGEST,
  'DELETE /metrics/job/*': INGEST,
  'PUT /metrics/job@base64/*': INGEST,
  'POST /metrics/job@base64/*': INGEST,
  'DELETE /metrics/job@base64/*': INGEST,
  'POST /api/import': INGEST,
  'POST /api/v1/import': INGEST,
  'GET /api/heartbeat/:id': INGEST,
  'GET /api/heartbeat/:id/:signal': INGEST,
  'POST /api/heartbeat/:id': INGEST,
  'POST /api/heartbeat/:id/:signal': INGEST,
  'POST /api/v1/read': READS,
  'POST /api/v1/query': READS,
  'POST /api/v1/query_range': READS,
  'POST /api/v1/series': READS,
  'POST /api/v1/labels': READS,
  'POST /api/v1/query_exemplars': READS,
  'POST /status/:page/sign-in': why('opens one page in one browser; wrong passwords are recorded as sign-ins that failed'),
  'POST /status/:page/subscribe': VISITOR,
  'POST /status/:page/confirm': VISITOR,
  'POST /status/:page/unsubscribe': VISITOR,
};
/** They change something although they are asked with GET. */
const GET_WITH_EFFECT = /^GET \/api\/(heartbeat|sso\/:provider\/(start|callback))/;

/** Reads that show secrets' neighbours, people, or everything at once. */
const SENSITIVE =
  /^\/api\/(audit|backups|config|export|exports|people|tokens|oncall\/people|v1\/export|v1\/status\/config|v1\/scrape_pools\/config)(\/|$)|\/subscribers$/;

/** These start the program again, which a test is not. */
const STARTS_PROGRAM: ReadonlySet<string> = new Set(['POST /api/doctor', 'POST /api/support-bundle', 'POST /api/backups']);
/** Answers that are given before anything is looked at: what was sent has another form. */
const NOT_REACHED: ReadonlySet<number> = new Set([400, 413, 415, 422]);

let app: StartedApp;
before(async () => {
  const unlimited = '{ per_token: none, per_address: none }';
  app = await startApp(
    `server:\n  admin_api: true\n  rate_limits: { ingest: ${unlimited}, query: ${unlimited}, api: ${unlimited}, login: ${unlimited}, public: ${unlimited} }\n`,
  );
});
after(() => app[Symbol.asyncDispose]());

const nameOf = ({ method, url }: AppRoute): string => `${method} ${url}`;
const isChanging = (route: AppRoute): boolean => route.method !== 'GET' || GET_WITH_EFFECT.test(nameOf(route));
const keptOf = ({ method, config }: AppRoute): string => keptOfRoute(method, config);

type Entry = {
  readonly seq: number;
  readonly action: string;
  readonly phase: string;
  readonly status: number | null;
  readonly address: string;
};
async function entriesAfter(seq: number): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  for (let cursor = ''; ; ) {
    const page = await app.http.inject({ url: `/api/audit?limit=200${cursor}`, headers: { authorization: `Bearer ${app.token}` } });
    assert.equal(page.statusCode, 200, page.body);
    const { items, next } = page.json() as { items: Entry[]; next: string | null };
    found.push(...items.filter((entry) => entry.seq > seq));
    if (next === null || items.some((entry) => entry.seq <= seq)) return found;
    cursor = `&cursor=${next}`;
  }
}
const lastSeq = async (): Promise<number> => Math.max(0, ...(await entriesAfter(0)).map(({ seq }) => seq));

test('every route that changes something is recorded by the hook or its domain, or says why not', () => {
  const changing = app.routes.filter(isChanging);
  const unrecorded = changing.filter((route) => keptOf(route) === 'none').map(nameOf);
  // A read that comes by POST and is recorded as one changes nothing.
  assert.deepEqual(
    [...new Set(unrecorded)].toSorted(),
    Object.keys(OTHERWISE).toSorted(),
    'name each in OTHERWISE with the entries of its domain or the reason, and remove from it what is recorded or gone',
  );
  assert.ok(changing.length - unrecorded.length > 80, `only ${changing.length - unrecorded.length} routes are recorded`);
});

test('the entries that domains are said to write are written by the code', () => {
  const root = join(HOUSE, 'server/src');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts') && !name.includes('.test.'));
  const code = files.map((name) => readFileSync(join(root, name), 'utf8')).join('\n');
  for (const [route, given] of Object.entries(OTHERWISE))
    for (const action of 'done' in given ? given.done : []) assert.ok(code.includes(`'${action}'`), `${route}: nobody writes ${action}`);
});

test('every sensitive read is recorded', () => {
  const sensitive = app.routes.filter(({ method, url }) => method === 'GET' && SENSITIVE.test(url));
  assert.deepEqual(sensitive.filter((route) => keptOf(route) !== 'read').map(nameOf), []);
  assert.ok(sensitive.length >= 20, `only ${sensitive.length} sensitive reads were found`);
});

test('called for real, each leaves its entries: as asked before it runs, and with its outcome', async () => {
  const kept = app.routes.filter(
    (route) => keptOf(route) !== 'none' && !STARTS_PROGRAM.has(nameOf(route)) && !route.path.includes('verify'),
  );
  const first = await lastSeq();
  const reached: { readonly name: string; readonly phase: string; readonly status: number }[] = [];
  for (const route of kept) {
    const headers = { authorization: `Bearer ${app.token}` };
    const body = route.method === 'GET' || route.method === 'DELETE' ? {} : { payload: {} };
    const { statusCode } = await app.http.inject({ method: route.method, url: route.path, headers, ...body });
    if (statusCode >= 500) assert.ok([501, 503].includes(statusCode), `${nameOf(route)}: ${statusCode}`);
    if (!NOT_REACHED.has(statusCode))
      reached.push({ name: nameOf(route), phase: keptOf(route) === 'read' ? 'read' : 'asked', status: statusCode });
  }
  const entries = await entriesAfter(first);
  const missing = reached.filter(({ name, phase }) => !entries.some((entry) => entry.action === name && entry.phase === phase));
  assert.deepEqual(missing, []);
  const unanswered = reached.filter(
    ({ name, phase, status }) =>
      phase === 'asked' && !entries.some((entry) => entry.action === name && entry.phase === 'answered' && entry.status === status),
  );
  assert.deepEqual(unanswered, []);
  assert.ok(reached.length > 60, `only ${reached.length} of ${kept.length} were reached`);
});

test('whoever guesses links, passwords of pages, second factors, passkeys or the way back from a provider is in the log', async () => {
  const guess = 'x'.repeat(43);
  const tries: readonly (readonly [string, 'GET' | 'POST', object?])[] = [
    ['/api/session', 'POST', { name: 'ada', password: 'wrong wrong wrong' }],
    ['/api/join', 'POST', { token: guess, password: 'correct horse battery staple 9' }],
    ['/api/join/look', 'POST', { token: guess }],
    ['/api/setup', 'POST', { token: guess, name: 'eve', password: 'correct horse battery staple 9' }],
    ['/status/nothing/sign-in', 'POST'],
    ['/api/session/factor', 'POST', { challenge: guess, factor: { kind: 'totp', code: '123456' } }],
    ['/api/sso/nothing/callback?code=1&state=2', 'GET'],
  ];
  for (const [i, [url, method, payload]] of tries.entries()) {
    const first = await lastSeq();
    const remoteAddress = `192.0.2.${i + 1}`;
    const answer = await app.http.inject({ method, url, remoteAddress, ...(payload !== undefined && { payload }) });
    const found = (await entriesAfter(first)).filter(({ action }) => action === 'sign_in.refused');
    assert.deepEqual(
      found.map(({ address }) => address),
      [remoteAddress],
      `${url} answered ${answer.statusCode} ${answer.body.slice(0, 300)}`,
    );
    assert.equal(JSON.stringify(found).includes(guess), false);
  }
});
