/** A server and its agents, each a process of its own: votes, absences, what is kept meanwhile, and who is refused. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { Agent, request } from 'node:https';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Authority, listen } from '../harness/checks.ts';
import { freePort, NINES, type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';

type AgentItem = {
  readonly id: string;
  readonly location: string;
  readonly state: string;
  readonly rotating: boolean;
  readonly taken: number;
  readonly last_seen_at_ms: number | null;
  readonly status: {
    readonly buffered: number;
    readonly skew_ms: number | null;
    readonly uncertainty_ms: number | null;
    readonly version: string;
  } | null;
};
type Interval = {
  readonly from_at_ms: number;
  readonly to_at_ms: number;
  readonly state: string;
  readonly evidence?: readonly { readonly detail: string }[];
};
type Matrix = {
  readonly data: { readonly result: readonly { readonly metric: Record<string, string>; readonly values: readonly [number, string][] }[] };
};
type Identity = { readonly authority: string; readonly certificate: string; readonly private_key: string };

/** A place: its folder, which holds the file that the check looks for, and the agent's process. */
class Place {
  readonly name: string;
  readonly folder: string;
  child: ChildProcess | undefined;
  output = '';

  constructor(name: string, root: string) {
    this.name = name;
    this.folder = join(root, name);
    mkdirSync(this.folder);
    this.set('up');
  }
  set(state: 'up' | 'down'): void {
    if (state === 'up') writeFileSync(join(this.folder, 'alive'), '');
    else rmSync(join(this.folder, 'alive'), { force: true });
  }
  run(...args: readonly string[]): void {
    const child = spawn(NINES, ['agent', '--data', 'agent', '--local', ...args], { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (this.output += String(chunk)));
    this.child = child;
  }
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    child.kill(signal);
    await once(child, 'exit');
    return child.exitCode;
  }
  identity(): Identity {
    return JSON.parse(readFileSync(join(this.folder, 'agent', 'identity.json'), 'utf8')) as Identity;
  }
  /** The results on disk, as instants. */
  kept(): readonly number[] {
    const dir = join(this.folder, 'agent', 'results');
    if (!existsSync(dir)) return [];
    return readdirSync(dir)
      .filter((name) => name.endsWith('.jsonl'))
      .flatMap((name) => readFileSync(join(dir, name), 'utf8').split('\n').slice(0, -1))
      .map((line) => JSON.parse(line) as { readonly check: string; readonly at_ms: number })
      .filter(({ check }) => check === 'files')
      .map(({ at_ms }) => at_ms);
  }
}

/** Passes bytes on, and remembers what the side that connects said, by connection. */
async function recorder(t: TestContext, port: number): Promise<{ readonly port: number; readonly said: Buffer[][] }> {
  const said: Buffer[][] = [];
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const mine: Buffer[] = [];
    said.push(mine);
    const far = connect(port, '127.0.0.1');
    near.on('data', (chunk) => mine.push(chunk));
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('error', () => near.destroy());
      socket.once('close', () => {
        open.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
  });
  const at = await listen(t, server);
  t.after(() => open.forEach((socket) => socket.destroy()));
  return { port: at, said };
}

type Asked = { readonly path: string; readonly body?: unknown; readonly by?: { readonly cert: string; readonly key: string } };
/** One request to the listener of agents, as whoever has this certificate. */
function askAs(
  port: number,
  authority: string,
  { path, body, by }: Asked,
): Promise<{ readonly status: number; readonly code: string; readonly json: Record<string, unknown> }> {
  const agent = new Agent({ ca: authority, maxCachedSessions: 0, ...by });
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path,
        agent,
        servername: 'server.agents.nines',
        method: text === undefined ? 'GET' : 'POST',
        headers: text === undefined ? {} : { 'content-length': Buffer.byteLength(text) },
      },
      (response) => {
        let answered = '';
        response.on('data', (chunk) => (answered += String(chunk)));
        response.on('end', () => {
          const json = (answered === '' ? {} : JSON.parse(answered)) as Record<string, unknown> & { readonly code?: string };
          resolve({ status: response.statusCode ?? 0, code: json.code ?? '', json });
        });
      },
    );
    asked.on('error', reject);
    asked.end(text);
  }).finally(() => agent.destroy()) as never;
}
const shown = ({ certificate, private_key }: Identity) => ({ cert: certificate, key: private_key });

const config = (agents: number, target: number): string => `
agents: { listen: '127.0.0.1:${agents}' }
services:
  - id: shop
    checks:
      - { id: files, kind: filesystem, path: /proc/self/cwd/alive, interval: 2s, timeout: 2s, locations: [berlin, tokyo, lima] }
  - id: web
    checks:
      - { id: web-http, kind: http, url: 'http://127.0.0.1:${target}/', interval: 1s, headers: { authorization: 'Bearer of-the-check' }, locations: [server, berlin] }
`;

test('agents at other places', { timeout: 600_000 }, async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'nines-agents-'));
  const heard = new Set<string>();
  const target = await listen(
    t,
    createHttpServer((incoming, answer) => {
      heard.add(`${incoming.headers.authorization}`);
      answer.end('ok');
    }),
  );
  const agentPort = await freePort();
  let nines: Nines = await startNines({ config: config(agentPort, target) });
  const places = ['berlin', 'tokyo', 'lima'].map((name) => new Place(name, root));
  const [berlin, tokyo, lima] = places as [Place, Place, Place];
  t.after(async () => {
    for (const place of places) await place.end('SIGKILL');
    await nines[Symbol.asyncDispose]();
    rmSync(root, { recursive: true, force: true });
  });

  const agents = async (): Promise<readonly AgentItem[]> => (await nines.get<{ items: AgentItem[] }>('/api/agents')).json.items;
  const agentAt = async (place: Place): Promise<AgentItem | undefined> =>
    (await agents()).find(({ location, state }) => location === place.name && state !== 'revoked');
  const untilAgent = (what: string, place: Place, is: (agent: AgentItem) => boolean) =>
    poll(`${place.name}: ${what}\n${place.output}`, async () => {
      const agent = await agentAt(place);
      return agent !== undefined && is(agent) && agent;
    });
  const stateOf = async (service: string): Promise<string> => (await nines.get<{ state: string }>(`/api/services/${service}`)).json.state;
  const untilState = (service: string, state: string) =>
    poll(`${service} to be ${state}`, async () => (await stateOf(service)) === state, 120_000);
  const intervals = async (fromMs: number, toMs: number): Promise<readonly Interval[]> =>
    (await nines.get<{ intervals: Interval[] }>(`/api/services/shop/timeline?from=${fromMs / 1000}&to=${toMs / 1000}`)).json.intervals;
  /** The stored results of a place: instants in milliseconds. */
  const stored = async (place: Place, check = 'files'): Promise<readonly number[]> => {
    const query = encodeURIComponent(`probe_success{check="${check}",location="${place.name}"}[1h]`);
    const { json } = await nines.get<Matrix>(`/api/v1/query?query=${query}`);
    return (json.data.result[0]?.values ?? []).map(([seconds]) => Math.round(seconds * 1000));
  };
  const joinToken = async (location: string): Promise<string> => {
    const made = await nines.send<{ token: string }>('POST', '/api/agents/join-tokens', { location });
    assert.equal(made.status, 201, made.text);
    return made.json.token;
  };
  const server = `https://127.0.0.1:${agentPort}`;
  let tokyosToken = '';

  await t.test('before anyone has joined the checks are unknown, and health says who is missing', async () => {
    assert.equal(await stateOf('shop'), 'unknown');
    const { json } = await nines.get<{ missing: string[]; address: string }>('/api/agents');
    assert.deepEqual([json.missing, json.address], [['berlin', 'lima', 'tokyo'], server]);
    const health = await nines.get<{ components: { name: string; status: string; detail: string }[] }>('/api/health');
    const part = health.json.components.find(({ name }) => name === 'agents');
    assert.deepEqual([part?.status, part?.detail], ['degraded', 'checks ask at berlin, lima, tokyo, where no agent is']);
  });

  await t.test('each joins with its token, asks what it is told, secrets included, and its results are series of its own', async () => {
    const proxy = await recorder(t, agentPort);
    lima.run('--server', `https://127.0.0.1:${proxy.port}`, '--token', await joinToken('lima'));
    writeFileSync(join(berlin.folder, 'join.json'), JSON.stringify({ server, token: await joinToken('berlin') }));
    berlin.run('--join', 'join.json');
    tokyosToken = await joinToken('tokyo');
    tokyo.run('--server', server, '--token', tokyosToken);
    for (const place of places)
      await untilAgent(
        'connected, clock measured',
        place,
        ({ state, status }) => state === 'connected' && status?.skew_ms !== null && status !== null,
      );
    await untilState('shop', 'up');
    await untilState('web', 'up');
    assert.deepEqual([...heard], ['Bearer of-the-check']);
    for (const place of places) await poll(`results of ${place.name}`, async () => (await stored(place)).length > 2);
    await poll('slots at the same instants everywhere', async () => {
      const lists = await Promise.all(places.map((place) => stored(place)));
      return lists[0]?.some((atMs) => lists.every((list) => list.includes(atMs)));
    });

    // What somebody on the way recorded says nothing to the server a second time.
    assert.equal(await lima.end('SIGTERM'), 0);
    const before = await agentAt(lima);
    const longest = proxy.said.map((parts) => Buffer.concat(parts)).reduce((a, b) => (a.length > b.length ? a : b));
    assert.ok(longest.length > 1_000);
    const replayed = connect(agentPort, '127.0.0.1').on('error', () => {});
    replayed.resume().write(longest);
    await once(replayed, 'close');
    const { taken, last_seen_at_ms } = (await agentAt(lima)) ?? assert.fail('lima has joined');
    assert.deepEqual([taken, last_seen_at_ms], [before?.taken, before?.last_seen_at_ms]);
    lima.run();
    await untilAgent('back', lima, (agent) => agent.taken > taken);
  });

  await t.test('one place that fails degrades the service, two make it down, each vote is evidence', async () => {
    tokyo.set('down');
    await untilState('shop', 'degraded');
    berlin.set('down');
    await untilState('shop', 'down');
    const nowMs = Date.now();
    const outage = (await intervals(nowMs - 600_000, nowMs)).find(({ state }) => state === 'down');
    const details = (outage?.evidence ?? []).map(({ detail }) => detail);
    assert.match(details[0] ?? '', /^2 of 3 say down \(berlin, tokyo\), 2 are needed$/);
    assert.ok(details.some((detail) => detail.startsWith('tokyo: ')));
    berlin.set('up');
    tokyo.set('up');
    await untilState('shop', 'up');
  });

  await t.test('an agent that is killed is away, never down; started again it goes on without a token', async () => {
    const before = (await agentAt(tokyo))?.taken ?? 0;
    await tokyo.end('SIGKILL');
    const killedAtMs = Date.now();
    await untilAgent('away', tokyo, ({ state }) => state === 'away');
    await untilState('shop', 'up');
    assert.ok((await intervals(killedAtMs, Date.now())).every(({ state }) => state !== 'down'));
    tokyo.run();
    const back = await untilAgent('back', tokyo, ({ state, taken }) => state === 'connected' && taken > before);
    assert.equal(back.rotating, false);
  });

  await t.test('the server is away for a while: an outage meanwhile is in the ledger afterwards, and no result is lost', async () => {
    await untilState('shop', 'up');
    const downAtMs = Date.now();
    assert.equal(await nines.stop(), 0);
    for (const place of [berlin, tokyo]) place.set('down');
    const failedFromMs = Date.now();
    await poll(
      'results to be kept',
      () => places.every((place) => place.kept().filter((atMs) => atMs > failedFromMs).length >= 4),
      120_000,
    );
    for (const place of [berlin, tokyo]) place.set('up');
    const mendedMs = Date.now();
    await poll(
      'good results to be kept',
      () => places.every((place) => place.kept().filter((atMs) => atMs > mendedMs).length >= 3),
      120_000,
    );
    // Killed in the middle of it all, one of them keeps what it had.
    await berlin.end('SIGKILL');
    const kept = new Map(places.map((place) => [place, place.kept()]));
    berlin.run();
    nines = await startNines({ folder: nines.folder, port: nines.port });
    for (const place of places) {
      await untilAgent('caught up', place, ({ state, status }) => state === 'connected' && status?.buffered === 0);
      const found = new Set(
        await poll(`what ${place.name} kept`, async () => {
          const list = await stored(place);
          return (kept.get(place) ?? []).every((atMs) => list.includes(atMs)) && list;
        }),
      );
      assert.ok(found.size > 0);
    }
    await untilState('shop', 'up');
    const down = await poll('the outage in the ledger', async () =>
      (await intervals(downAtMs - 60_000, Date.now())).find(({ state, from_at_ms }) => state === 'down' && from_at_ms >= downAtMs),
    );
    assert.ok(down.to_at_ms <= mendedMs + 30_000 && down.from_at_ms >= failedFromMs - 10_000, JSON.stringify(down));
    const within = await intervals(failedFromMs, mendedMs);
    assert.ok(
      within.every(({ state }) => state !== 'unknown'),
      JSON.stringify(within),
    );
  });

  await t.test('a token works once, results count once, and only the certificate in force is answered', async () => {
    const identity = berlin.identity();
    const ask = (asked: Asked) => askAs(agentPort, identity.authority, asked);
    const again = await ask({ path: '/agent/v1/join', body: { secret: tokyosToken.split('.')[1], public_key: 'x', version: '1' } });
    assert.equal(again.status, 400, 'a key that is none does not cost the token');
    const { publicKey } = (await import('node:crypto')).generateKeyPairSync('ed25519');
    const key = String(publicKey.export({ type: 'spki', format: 'pem' }));
    const used = await ask({ path: '/agent/v1/join', body: { secret: tokyosToken.split('.')[1], public_key: key, version: '1' } });
    assert.deepEqual([used.status, used.code], [403, 'join_token_refused']);

    const status = { version: '1', host: 'h', started_at_ms: 0, skew_ms: null, uncertainty_ms: null, buffered: 0, lost: null, refused: [] };
    const result = {
      seq: 1,
      check: 'files',
      at_ms: Date.now() - 100,
      uncertainty_ms: 0,
      duration_ms: 1,
      outcome: { kind: 'up' },
      phases_ms: {},
      loop_delay_ms: 0,
    };
    const replayed = await ask({ path: '/agent/v1/results', body: { results: [result], status }, by: shown(identity) });
    assert.equal(replayed.status, 200);
    assert.ok(Number(replayed.json['taken']) > 1);
    assert.ok(!(await stored(berlin)).includes(result.at_ms), 'a number that was taken before is passed over');

    assert.equal((await ask({ path: '/agent/v1/checks' })).code, 'agent_certificate_unknown');
    using stranger = new Authority();
    const { cert, key: strangersKey } = stranger.issue();
    assert.equal((await ask({ path: '/agent/v1/checks', by: { cert, key: strangersKey } })).code, 'agent_certificate_unknown');
    // And the other way round: an agent talks to the server of its own authority only.
    await assert.rejects(askAs(agentPort, stranger.cert, { path: '/agent/v1/authority' }), /self-signed|unable to verify|certificate/);

    const old = tokyo.identity();
    const { id } = (await agentAt(tokyo)) ?? assert.fail('tokyo is there');
    assert.equal((await nines.send('POST', `/api/agents/${id}/rotate`)).status, 200);
    await untilAgent('rotated', tokyo, ({ rotating }) => !rotating);
    assert.notEqual(tokyo.identity().certificate, old.certificate);
    assert.equal((await ask({ path: '/agent/v1/checks', by: shown(old) })).code, 'agent_certificate_unknown');
    await untilAgent('still there', tokyo, ({ state }) => state === 'connected');
  });

  await t.test('an agent does not join a server that did not make its token', async () => {
    const other = new Place('other', root);
    const token = `njoin_${'A'.repeat(43)}.${'B'.repeat(43)}`;
    other.run('--server', server, '--token', token);
    const [code] = (await once(other.child ?? assert.fail('it runs'), 'exit')) as [number];
    assert.notEqual(code, 0);
    assert.match(other.output, /is not the server that made this join token/);
  });

  await t.test('a revoked agent is refused at once and ends; its voice is absent', async () => {
    const identity = lima.identity();
    const { id } = (await agentAt(lima)) ?? assert.fail('lima is there');
    const ended = once(lima.child ?? assert.fail('it runs'), 'exit') as Promise<[number]>;
    const revoked = await nines.send<AgentItem>('POST', `/api/agents/${id}/revoke`);
    assert.equal(revoked.json.state, 'revoked');
    const [code] = await ended;
    assert.notEqual(code, 0);
    assert.match(lima.output, /the agent at lima was revoked/);
    const refused = await askAs(agentPort, identity.authority, { path: '/agent/v1/checks', by: shown(identity) });
    assert.deepEqual([refused.status, refused.code], [403, 'agent_revoked']);
    await untilState('shop', 'up');
    const metrics = (await nines.get('/metrics')).text;
    assert.match(metrics, /nines_agent_refused_total\{reason="revoked"\} \d+/);
    assert.match(metrics, /nines_agent_results_total\{[^}]*judged="repeated"[^}]*\} [1-9]/);
  });

  await t.test('agents end in good order', async () => {
    assert.equal(await berlin.end('SIGTERM'), 0);
    assert.equal(await tokyo.end('SIGTERM'), 0);
  });
});
