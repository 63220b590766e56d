import assert from 'node:assert/strict';
import { type TestContext, describe, it } from 'node:test';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { type Kind, KINDS, type Said, byTitle, channelsTo, readAsked } from '../../../test/harness/faulty-providers.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import type { ManualClock } from '../../../test/harness/manual-clock.ts';
import { poll } from '../../../test/harness/poll.ts';
import { startSmtp } from '../../../test/harness/smtp.ts';
import { realClock } from '../platform/clock.ts';
import { createOutbound } from '../platform/fetch/outbound.ts';
import { runProgram } from '../platform/programs.ts';
import { type Outbound, OutboundError } from '../platform/fetch/outbound.ts';
import { openChannels } from './channels.ts';
import { channelsConfig } from './config.ts';
import type { NotificationView } from './contract.ts';
import { type World, openWorld } from './testing/world.ts';
import { createVapidKey } from './webpush/encrypt.ts';

/** How a provider is: `limited` asks for 30 s of patience where it can say so, `silent` never answers, `gone` takes no connection. */
type Mood = 'well' | 'limited' | 'broken' | 'silent' | 'refusing' | 'gone';
type Asked = Said & { readonly atMs: number; readonly mood: Mood };
type Provider = { mood: Mood; readonly asked: Asked[]; silent: number };

const URL_BASE = 'http://provider.example';
const TIMEOUT_MS = 10_000;
const STATUS: Readonly<Record<'well' | 'limited' | 'broken' | 'refusing', number>> = {
  well: 200,
  limited: 429,
  broken: 500,
  refusing: 403,
};
const PATIENCE_MS = 30_000;

/** The way out for HTTP, as far as this provider: what channels make of answers is real, the time that passes is the clock's. */
const requestOf =
  (provider: Provider, clock: ManualClock): Outbound['request'] =>
  async (url, { body, headers = {}, timeoutMs }) => {
    const { mood } = provider;
    const { said, answer } = readAsked({ path: new URL(url).pathname, headers, body: String(body) });
    if (said !== undefined) provider.asked.push({ ...said, atMs: clock.now(), mood });
    if (mood === 'gone') throw new OutboundError('connection', 'provider.example: connect ECONNREFUSED');
    if (mood === 'silent') {
      provider.silent++;
      await clock.sleep(timeoutMs);
      provider.silent--;
      throw new OutboundError('timeout', `provider.example: no answer within ${timeoutMs} ms`);
    }
    const patience = mood === 'limited' ? { 'retry-after': String(PATIENCE_MS / 1_000) } : {};
    return { status: STATUS[mood], headers: patience, body: Buffer.from(JSON.stringify(mood === 'well' ? answer : {})) };
  };

/** A real mail server; a client that it leaves without an answer gives up after real seconds. */
async function mailServer(t: TestContext, provider: Provider, now: () => number): Promise<number> {
  const codes: Readonly<Record<string, number>> = { limited: 451, broken: 451, refusing: 550 };
  const { port } = await startSmtp(t, {
    onConnect: (_session, done) =>
      provider.mood === 'gone' ? done(Object.assign(new Error('service not available'), { responseCode: 421 })) : done(),
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mood } = provider;
        const mail = Buffer.concat(chunks).toString();
        const key = /^Message-ID: <([^@]+)@/im.exec(mail)?.[1] ?? '';
        provider.asked.push({ ...byTitle(/^Subject: (.*)$/im.exec(mail)?.[1] ?? ''), message: key, key, atMs: now(), mood });
        if (mood === 'silent') return;
        const code = codes[mood];
        done(code === undefined ? null : Object.assign(new Error('not now'), { responseCode: code }));
      });
    },
  });
  return port;
}

type Scene = {
  readonly world: World;
  readonly provider: Provider;
  fire(life: string): Promise<void>;
  resolve(life: string): Promise<void>;
  pass(lengthMs: number): Promise<void>;
  rows(): Promise<readonly NotificationView[]>;
};

async function openScene(t: TestContext, kind: Kind): Promise<Scene> {
  const provider: Provider = { mood: 'well', asked: [], silent: 0 };
  const { db } = await openSqliteForTest(t);
  const smtpPort = await mailServer(t, provider, () => world.clock.now());
  const timeout = kind === 'mail' ? '2s' : `${TIMEOUT_MS}ms`;
  const written = channelsTo({ url: URL_BASE, smtpPort }, { timeout, rate_limit: { messages: 1_000, per: '1s' } });
  const world: World = await openWorld(t, {
    db,
    routing: { default: [kind] },
    open: (clock) =>
      openChannels(channelsConfig.parse(written), {
        clock,
        logger: silentLogger,
        request: requestOf(provider, clock),
        connect: createOutbound({ clock: realClock }).connect,
        run: runProgram,
        write: () => undefined,
        bus: { publish: () => undefined },
        push: { key: createVapidKey(), of: async () => [], remove: async () => undefined },
        externalUrl: 'http://nines.example',
      }),
  });
  /** Every attempt that is under way has ended, but those that wait for an answer that only time brings. */
  const quiet = (): Promise<true> =>
    poll('attempts to end', async () => {
      await world.clock.advance(0);
      const open = (await db.kysely.selectFrom('outbox').select('id').where('state', '=', 'sending').execute()).length;
      return open <= provider.silent;
    });
  const rule = (life: string) => ({ id: life, alertname: life });
  return {
    world,
    provider,
    async fire(life) {
      await world.evaluate(['a'], rule(life));
      const isAsked = async (): Promise<boolean> => {
        await world.clock.advance(0);
        return provider.asked.some((one) => one.life === life);
      };
      if (provider.mood !== 'gone') await poll(`${life} to be sent`, isAsked);
      await quiet();
    },
    resolve: (life) => world.evaluate([], rule(life)),
    async pass(lengthMs) {
      const stepMs = lengthMs > 60_000 ? 5_000 : 500;
      for (let passedMs = 0; passedMs < lengthMs; passedMs += stepMs) {
        await quiet();
        await world.clock.advance(stepMs);
      }
      await quiet();
    },
    rows: () => world.notify.list({ status: undefined, channel: undefined, alertId: undefined, after: undefined, limit: 100 }),
  };
}

const of = (scene: Scene, life: string): readonly Asked[] => scene.provider.asked.filter((one) => one.life === life);
const gapsOf = (asked: readonly Asked[]): readonly number[] => asked.slice(1).map(({ atMs }, i) => atMs - (asked[i]?.atMs ?? 0));
const moodsOf = (asked: readonly Asked[]): string => asked.map(({ mood, status }) => `${mood} ${status}`).join(', ');

/** What each kind does in each scene; those without a way to ask for patience wait by the backoff. */
const SCENES: Readonly<Record<string, (scene: Scene, kind: Kind) => Promise<void>>> = {
  async 'asks for patience and is asked again after it'(scene, kind) {
    scene.provider.mood = 'limited';
    await scene.fire('life-1');
    scene.provider.mood = 'well';
    await scene.pass(PATIENCE_MS + 5_000);
    const asked = of(scene, 'life-1');
    assert.equal(moodsOf(asked), 'limited firing, well firing');
    const [gapMs = 0] = gapsOf(asked);
    if (kind === 'mail') assert.ok(gapMs <= 3_000, `${gapMs}`);
    else assert.ok(gapMs >= PATIENCE_MS && gapMs <= PATIENCE_MS + 2_000, `${gapMs}`);
  },
  async 'is broken and is asked again, each time later'(scene) {
    scene.provider.mood = 'broken';
    await scene.fire('life-2');
    await scene.pass(10_000);
    scene.provider.mood = 'well';
    await scene.pass(20_000);
    const asked = of(scene, 'life-2');
    assert.match(moodsOf(asked), /^(broken firing, ){3,5}well firing$/);
    const gaps = gapsOf(asked);
    assert.ok(
      gaps.every((gapMs, i) => gapMs >= 800 * 2 ** i && gapMs <= 1_200 * 2 ** i + 2_000),
      gaps.join(),
    );
  },
  async 'never answers, is cut off and asked again'(scene) {
    scene.provider.mood = 'silent';
    await scene.fire('life-3');
    await scene.pass(5_000);
    scene.provider.mood = 'well';
    await scene.pass(20_000);
    const asked = of(scene, 'life-3');
    assert.match(moodsOf(asked), /^(silent firing, )+well firing$/);
    const row = (await scene.rows())[0];
    assert.deepEqual([row?.status, row?.attempts], ['delivered', asked.length]);
  },
  async 'refuses for good: a dead letter that can be sent again, and no other message waits for it'(scene) {
    scene.provider.mood = 'refusing';
    await scene.fire('life-4');
    await scene.pass(1_000);
    scene.provider.mood = 'well';
    await scene.fire('life-5');
    await scene.pass(60_000);
    assert.equal(moodsOf(of(scene, 'life-4')), 'refusing firing');
    assert.equal(moodsOf(of(scene, 'life-5')), 'well firing');
    const dead = (await scene.rows()).filter(({ status }) => status === 'dead');
    assert.deepEqual(
      dead.map(({ attempts }) => attempts),
      [1],
    );
    assert.match(dead[0]?.last_error ?? '', /403|not now/);
    await scene.world.notify.retry(dead[0]?.id ?? '');
    await scene.pass(2_000);
    assert.equal(moodsOf(of(scene, 'life-4')), 'refusing firing, well firing');
  },
  async 'is gone for half an hour: each message comes once when it is back, its start before its end'(scene, kind) {
    await scene.fire('life-6');
    scene.provider.mood = 'gone';
    await scene.resolve('life-6');
    await scene.fire('life-7');
    await scene.pass(900_000);
    await scene.resolve('life-7');
    await scene.fire('life-8');
    await scene.pass(900_000);
    scene.provider.mood = 'well';
    const backAtMs = scene.world.clock.now();
    await scene.pass(370_000);
    const took = (life: string): readonly string[] => of(scene, life).flatMap(({ mood, status }) => (mood === 'well' ? [status] : []));
    assert.deepEqual([took('life-6'), took('life-7'), took('life-8')], [['firing', 'resolved'], ['firing', 'resolved'], ['firing']]);
    for (const life of ['life-6', 'life-7', 'life-8']) {
      const late = of(scene, life).filter(({ atMs, mood }) => mood === 'well' && atMs > backAtMs + 365_000);
      assert.deepEqual(late, [], 'five minutes and a fifth after its return it has everything');
    }
    const rows = await scene.rows();
    assert.ok(rows.every(({ status }) => status === 'delivered'));
    const most = Math.max(...rows.map(({ attempts }) => attempts));
    assert.ok(most >= 8 && most <= 16, `${most} attempts in half an hour`);
    if (kind === 'webhook' || kind === 'mail') {
      const keys = of(scene, 'life-7').map(({ key, status }) => `${status} ${key}`);
      assert.equal(new Set(keys).size, 2, 'every attempt of a message has its key');
    }
  },
};

for (const kind of KINDS) {
  describe(`a provider of kind ${kind}`, () => {
    for (const [name, play] of Object.entries(SCENES)) {
      it(name, async (t) => play(await openScene(t, kind), kind));
    }
  });
}
