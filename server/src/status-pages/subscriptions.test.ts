import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, it } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS, epochMs } from '@nines/base/units.ts';
import type { Occurrence } from '../maintenance/contract.ts';
import { forEachDatabase } from '../../../test/harness/databases.ts';
import { countingIds } from '../../../test/harness/ids.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { type ManualClock, manualClock } from '../../../test/harness/manual-clock.ts';
import type { Mail } from '../notify/contract.ts';
import { createBus } from '../platform/bus.ts';
import type { Db } from '../platform/db/open.ts';
import { OutboundError, type OutboundOptions } from '../platform/fetch/outbound.ts';
import { type OutboxVerdict, toJson } from '../platform/records/contract.ts';
import type { OutboxEntry } from '../platform/records/outbox.ts';
import { newAnnouncement, statusPageSchema } from './contract.ts';
import { createTestSecrets } from '../platform/secrets/testing/secrets.ts';
import { openStatusPages } from './start.ts';
import { CONFIRM_TOPIC } from './subscriptions.ts';

const PAGE = statusPageSchema.parse({
  id: 'shop',
  title: 'Shop status',
  services: ['shop'],
  subscriptions: { email: 'mail', webhook: true },
});
const OTHER = statusPageSchema.parse({ id: 'other', title: 'Other', services: ['shop'], subscriptions: { email: 'mail' } });
const SAID = newAnnouncement.parse({ title: 'Logins fail', pages: ['shop'], text: 'We look into it.' });
const PEER = '203.0.113.7';
/** Servers of one database have one key. */
const SECRETS = createTestSecrets();

/** The whole domain on a real database, with an outbox that is emptied by hand and the ends of the wires in the test's hands. */
async function begin(t: TestContext, db: Db, clock: ManualClock = manualClock()) {
  const dataDir = mkdtempSync(join(tmpdir(), 'pages-'));
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const rows: (OutboxEntry & { readonly id: string })[] = [];
  const mails: Mail[] = [];
  const posts: { url: string; options: OutboundOptions }[] = [];
  const answer = { status: 200 };
  const works: Occurrence[] = [];
  const services = { get: (id: string) => (id === 'shop' ? SHOP : undefined), list: () => [SHOP] };
  const opened = await openStatusPages({
    db: db.kysely,
    clock,
    ids: { ...countingIds(), secret: () => `secret-${Math.random()}` },
    logger: silentLogger,
    bus: createBus((thrown) => assert.fail(String(thrown))),
    ledger: {
      timeline: async (_service, fromMs, toMs) => ({ fromMs, toMs, intervals: [{ fromMs, toMs, state: 'up' }] }),
      current: () => ({ state: 'up', sinceMs: clock.now(), evidence: [] }),
      version: () => 1,
    },
    maintenance: { occurrences: ({ fromMs, toMs }) => works.filter((one) => one.fromMs < toMs && one.toMs > fromMs) },
    services,
    yieldNow: () => undefined,
    outbox: () => ({
      enqueue: async (_trx, entry) => {
        rows.push({ ...entry, id: `row-${rows.length}` });
        return `row-${rows.length}`;
      },
      wake: () => {},
    }),
    mailer: (channel) =>
      channel === 'mail'
        ? {
            send: async (mail) => {
              mails.push(mail);
              return { kind: 'delivered', receipt: 'ok' };
            },
          }
        : undefined,
    request: async (url, options) => {
      posts.push({ url, options });
      if (url.includes('10.0.0.1')) throw new OutboundError('refused_address', '10.0.0.1 is private');
      return { status: answer.status, headers: {}, body: Buffer.alloc(0) };
    },
    externalUrl: 'https://nines.example.org',
    dataDir,
    keys: undefined,
    secrets: SECRETS,
  });
  await opened.pages.declare([PAGE, OTHER].map((spec) => ({ spec, place: 'nines.yml:1', logo: undefined })));
  /** Sends what is in the outbox, also what that puts in, and says what became of it. */
  const drain = async (): Promise<readonly OutboxVerdict[]> => {
    const verdicts: OutboxVerdict[] = [];
    for (let row = rows.shift(); row !== undefined; row = rows.shift()) {
      const handler = opened.handlers[row.topic as typeof CONFIRM_TOPIC];
      const message = { id: row.id, topic: row.topic, key: row.key, payload: toJson(row.payload), tries: 1, createdAtMs: 0, cutOff: false };
      verdicts.push(await handler(message, { signal: new AbortController().signal }));
    }
    return verdicts;
  };
  const tokenOf = (mail: Mail | undefined): string => /confirm\?token=(\S+)/.exec(mail?.text ?? '')?.[1] ?? assert.fail('no link');
  const subscribe = async (address: string) => {
    await opened.subscriptions.ask({ page: PAGE, kind: 'email', address }, PEER);
    await drain();
    return opened.subscriptions.confirm(PAGE, tokenOf(mails.at(-1)));
  };
  return { ...opened, clock, rows, mails, posts, answer, works, drain, tokenOf, subscribe };
}

const SHOP = {
  entityId: 'e',
  id: 'shop',
  name: 'Web shop',
  owner: '',
  teamId: 'default',
  labels: {},
  tier: '',
  description: '',
  runbook: '',
  tags: [],
  dependsOn: [],
  suppressWhenParentDown: false,
  checks: [],
  origin: { kind: 'ui' },
} as const;

forEachDatabase((_name, open) => {
  it('keeps what was said, and what was taken back, for a server that starts', async (t) => {
    const { db, openAgain } = await open(t);
    const w = await begin(t, db);
    const made = await w.announcements.create(SAID, 'ann');
    await w.announcements.update(made.id, { state: 'resolved', text: 'Done.', notify: false }, 'bob');
    const wrong = await w.announcements.create({ ...SAID, title: 'Wrong' }, 'ann');
    await w.announcements.withdraw(wrong.id, 'bob');
    const again = await begin(t, await openAgain(), w.clock);
    const [kept] = again.announcements.list({});
    assert.deepEqual(
      kept?.updates.map(({ state, by }) => [state, by]),
      [
        ['investigating', 'ann'],
        ['resolved', 'bob'],
      ],
    );
    assert.equal(again.announcements.find(wrong.id).withdrawnBy, 'bob');
    assert.deepEqual(again.announcements.list({ state: 'open' }), []);
    await assert.rejects(again.announcements.update(wrong.id, { state: 'resolved', text: 'x', notify: true }, 'ann'), /was withdrawn/);
    await assert.rejects(again.announcements.create({ ...SAID, services: ['nope'] }, 'ann'), /no service "nope"/);
    await assert.rejects(again.announcements.create({ ...SAID, at_ms: w.clock.now() + HOUR_MS }, 'ann'), /still to come/);
  });

  it('tells of a plan of maintenance once, whatever is started again, and of another plan anew', async (t) => {
    const { db, openAgain } = await open(t);
    const w = await begin(t, db);
    await w.subscribe('ann@example.org');
    w.mails.length = 0;
    const nowMs = w.clock.now();
    const work: Occurrence = {
      window: 'move',
      name: 'Database move',
      services: ['shop', 'secret-service'],
      suppressAlerts: true,
      fromMs: epochMs(nowMs + DAY_MS),
      toMs: epochMs(nowMs + DAY_MS + HOUR_MS),
      plannedFromMs: epochMs(nowMs + DAY_MS),
      announcedAtMs: nowMs,
    };
    w.works.push(
      work,
      { ...work, window: 'elsewhere', services: ['secret-service'] },
      { ...work, fromMs: epochMs(nowMs + 8 * DAY_MS), toMs: epochMs(nowMs + 9 * DAY_MS) },
    );
    await w.planned.step(nowMs);
    await w.planned.step(nowMs);
    await w.drain();
    assert.deepEqual(
      w.mails.map(({ subject }) => subject),
      ['[Shop status] Maintenance: Database move'],
    );
    assert.match(w.mails[0]?.text ?? '', /Web shop: from 2025-10-10 08:53 to 2025-10-10 09:53 \(UTC\)\./);
    assert.doesNotMatch(w.mails[0]?.text ?? '', /secret/);
    const again = await begin(t, await openAgain(), w.clock);
    again.works.push(work);
    await again.planned.step(nowMs);
    assert.deepEqual(again.rows, [], 'told before it was started again');
    again.works[0] = { ...work, announcedAtMs: epochMs(nowMs + 1) };
    await again.planned.step(nowMs);
    again.works.length = 0;
    await again.drain();
    assert.deepEqual(again.mails, [], 'what is no longer planned when its turn comes');
    again.works.push({ ...work, announcedAtMs: epochMs(nowMs + 2) });
    await again.planned.step(nowMs);
    await again.drain();
    assert.equal(again.mails.length, 1);
  });

  it('takes an address in when its own link is followed, once, in time, on any server of the database', async (t) => {
    const { db, openAgain } = await open(t);
    const w = await begin(t, db);
    await w.subscriptions.ask({ page: PAGE, kind: 'email', address: 'ann@example.org' }, PEER);
    assert.deepEqual(
      (await w.drain()).map(({ kind }) => kind),
      ['done'],
    );
    assert.deepEqual(w.mails[0]?.to, ['ann@example.org']);
    const token = w.tokenOf(w.mails[0]);
    const again = await begin(t, await openAgain(), w.clock);
    assert.equal(await again.subscriptions.confirm(OTHER, token), undefined, 'another page');
    const made = await again.subscriptions.confirm(PAGE, token);
    assert.deepEqual(await again.subscriptions.confirm(PAGE, token), made, 'once more');
    assert.deepEqual(
      (await w.subscriptions.list('shop')).map(({ address }) => address),
      ['ann@example.org'],
    );
    assert.deepEqual(await w.subscriptions.counts(), [{ page: 'shop', kind: 'email', count: 1 }]);
    await w.subscriptions.ask({ page: PAGE, kind: 'email', address: 'late@example.org' }, PEER);
    await w.drain();
    await w.clock.advance(2 * DAY_MS + 1);
    assert.equal(await w.subscriptions.confirm(PAGE, w.tokenOf(w.mails.at(-1))), undefined, 'too late');
    assert.equal(await w.subscriptions.ofEnding(w.links.sign('confirm', made?.id)), undefined, 'signed for something else');
    assert.ok(made);
    const ending = w.subscriptions.endingOf(made);
    assert.deepEqual(await w.subscriptions.ofEnding(ending), made);
    await w.subscriptions.end(made.id);
    assert.equal(await w.subscriptions.ofEnding(ending), undefined);
  });

  it('keeps no address in clear, and knows those again that were kept without their digest', async (t) => {
    const { db, openAgain } = await open(t);
    const address = 'https://hook.example.org/services/T0/B0/hunter2';
    const place = { table: 'status_subscribers', id: 'early', column: 'address' };
    const early = { id: 'early', page: 'shop', kind: 'webhook', address: SECRETS.seal(place, address), confirmed_at_ms: 1 };
    await db.kysely.insertInto('status_subscribers').values(early).execute();
    const w = await begin(t, db);
    await w.subscriptions.ask({ page: PAGE, kind: 'webhook', address }, PEER);
    assert.doesNotMatch(w.rows[0]?.key ?? address, /example|hunter2/);
    await w.drain();
    const { confirm_url: link } = JSON.parse(String(w.posts[0]?.options.body)) as { confirm_url: string };
    const confirmed = await w.subscriptions.confirm(PAGE, new URL(link).searchParams.get('token') ?? '');
    assert.deepEqual(confirmed, { id: 'early', page: 'shop', kind: 'webhook', address });
    await w.subscribe('ann@example.org');
    const again = await begin(t, await openAgain(), w.clock);
    assert.deepEqual((await again.subscriptions.list('shop')).map((one) => one.address).toSorted(), ['ann@example.org', address]);
    const kept = JSON.stringify(await db.kysely.selectFrom('status_subscribers').selectAll().execute());
    assert.doesNotMatch(kept, /hunter2|ann@/);
    // What was altered, or comes from another database, is told to nobody, and stops nobody else.
    await db.kysely.updateTable('status_subscribers').set({ address: 'sealed1.x' }).where('id', '=', 'early').execute();
    await again.announcements.create(SAID, 'ann');
    assert.deepEqual((await again.drain()).map(({ kind }) => kind).toSorted(), ['dead', 'done', 'done']);
  });
});

forEachDatabase((name, open) => {
  if (name !== 'sqlite') return;

  it('writes to nobody more often than they can bear', async (t) => {
    const w = await begin(t, (await open(t)).db);
    const ask = (address: string, peer = PEER) => w.subscriptions.ask({ page: PAGE, kind: 'email', address }, peer);
    await ask('ann@example.org');
    await ask('ANN@example.org');
    await w.drain();
    assert.equal(w.mails.length, 1, 'one mail in ten minutes');
    await w.clock.advance(11 * MINUTE_MS);
    await ask('ann@example.org');
    await w.drain();
    assert.equal(w.mails.length, 2);
    for (let i = 0; i < 7; i++) await ask(`a${i}@example.org`);
    await assert.rejects(ask('one-more@example.org'), /too many subscriptions from your address/);
    await w.clock.advance(HOUR_MS);
    await ask('one-more@example.org');
    // A proxy in front speaks for everyone.
    for (let i = 0; i < 30; i++) await ask(`b${i}@example.org`, '10.0.0.2');
    await assert.rejects(async () => {
      for (let i = 0; i < 60; i++) await ask(`c${i}@example.org`, '10.0.0.2');
    }, /at once/);
  });

  it('tells each subscriber of each update, in words, with a way out, and forgets receivers that are gone', async (t) => {
    const w = await begin(t, (await open(t)).db);
    for (const address of ['ann@example.org', 'bob@example.org']) await w.subscribe(address);
    await w.subscriptions.ask({ page: PAGE, kind: 'webhook', address: 'https://hook.example.org/x' }, PEER);
    await w.drain();
    const asked = w.posts[0];
    assert.deepEqual([asked?.url, asked?.options.trust], ['https://hook.example.org/x', 'untrusted']);
    const { confirm_url: link } = JSON.parse(String(asked?.options.body)) as { confirm_url: string };
    assert.match(link, /^https:\/\/nines\.example\.org\/status\/shop\/confirm\?token=/);
    await w.subscriptions.confirm(PAGE, new URL(link).searchParams.get('token') ?? '');
    w.mails.length = 0;
    const made = await w.announcements.create(SAID, 'secret-person');
    const verdicts = await w.drain();
    assert.deepEqual(
      verdicts.map(({ kind }) => kind),
      ['done', 'done', 'done', 'done'],
      'one that spreads, three that tell',
    );
    assert.deepEqual(
      w.mails.map(({ to }) => to?.[0]).toSorted((a, b) => (String(a) < String(b) ? -1 : 1)),
      ['ann@example.org', 'bob@example.org'],
    );
    assert.match(w.mails[0]?.unsubscribeUrl ?? '', /^https:\/\/nines\.example\.org\/status\/shop\/unsubscribe\?token=/);
    for (const sent of [...w.mails.map((mail) => `${mail.text}${mail.html}`), String(w.posts.at(-1)?.options.body)])
      assert.doesNotMatch(sent, /secret-person/);
    w.answer.status = 503;
    await w.announcements.update(made.id, { state: 'identified', text: 'x', notify: true }, 'ann');
    assert.ok((await w.drain()).some(({ kind }) => kind === 'retry'));
    w.answer.status = 410;
    await w.announcements.update(made.id, { state: 'resolved', text: 'y', notify: true }, 'ann');
    assert.ok((await w.drain()).some(({ kind }) => kind === 'dead'));
    assert.deepEqual(
      (await w.subscriptions.list('shop')).map(({ kind }) => kind),
      ['email', 'email'],
    );
    w.mails.length = 0;
    const wrong = await w.announcements.create(SAID, 'ann');
    await w.announcements.withdraw(wrong.id, 'ann');
    await w.announcements.update(made.id, { state: 'notice', text: 'quiet', notify: false }, 'ann');
    await w.drain();
    assert.deepEqual(w.mails, [], 'neither what was taken back nor what is not to be told');
  });

  it('gives up at once where it must not go', async (t) => {
    const w = await begin(t, (await open(t)).db);
    await w.subscriptions.ask({ page: PAGE, kind: 'webhook', address: 'http://10.0.0.1/' }, PEER);
    assert.deepEqual(
      (await w.drain()).map(({ kind }) => kind),
      ['dead'],
    );
  });
});
