import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '@nines/base/units.ts';
import fc from 'fast-check';
import { sql as text } from 'kysely';
import { forEachDatabase, type OpenDatabase, openSqliteForTest } from '../../../test/harness/databases.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { poll } from '../../../test/harness/poll.ts';
import type { Evaluation } from '../alerting/contract.ts';
import type { AuditChainRow, AuditRow } from '../platform/db/migrations/0042-audit.ts';
import { auditKeys, createAuditKey } from '../platform/signing/audit-key.ts';
import { ANCHORS_FILE } from './anchors.ts';
import { type Unchained, chained, macOfEnds, verifyChain } from './chain.ts';
import { auditConfig } from './config.ts';
import type { AuditEntry } from './contract.ts';
import { verifyAudit } from './service.ts';
import { openAuditLog, startAudit } from './start.ts';

const ANN = { kind: 'user', id: 'u1', name: 'Ann', role: 'administrator' } as const;
const did = (action: string, more: Partial<AuditEntry> = {}): AuditEntry => ({
  actor: ANN,
  action,
  object: { kind: 'things', id: '7' },
  phase: 'done',
  ...more,
});

async function world(t: TestContext, open: OpenDatabase) {
  const { db, openAgain } = await open(t);
  const dataDir = mkdtempSync(join(tmpdir(), 'nines-audit-'));
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const clock = manualClock();
  const deps = { db, clock, logger: silentLogger, dataDir, keptMs: 400 * DAY_MS };
  const audit = await openAuditLog({ ...deps, sealing: undefined });
  return { audit, db, openAgain, clock, dataDir, deps };
}

forEachDatabase((_kind, open) => {
  test('entries are chained in one order whoever writes them, also from two processes at once', async (t) => {
    const { audit, openAgain, deps } = await world(t, open);
    const other = await openAuditLog({ ...deps, db: await openAgain(), sealing: undefined });
    const numbers = await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? audit : other).append(did(`change ${i}`))));
    assert.deepEqual(
      [...numbers].sort((a, b) => a - b),
      Array.from({ length: 40 }, (_, i) => i + 1),
    );
    const verdict = await audit.verify();
    assert.deepEqual([verdict.whole, verdict.entries, verdict.from_seq, verdict.to_seq], [true, 40, 1, 40]);
  });

  test('an entry goes with the change that it was written with', async (t) => {
    const { audit, db } = await world(t, open);
    const failing = db.kysely.transaction().execute(async (trx) => {
      await audit.record(trx, did('undone'));
      throw new Error('the change failed');
    });
    await assert.rejects(failing, /the change failed/);
    assert.deepEqual(await audit.list({}, { beforeSeq: undefined, limit: 10 }), []);
    assert.equal(await audit.append(did('done')), 1, 'its number was not used up');
    assert.equal((await audit.verify()).whole, true);
  });

  test('the first broken entry is named: edited, missing, moved, at the end, behind the end, the ends themselves', async (t) => {
    const { audit, db } = await world(t, open);
    for (let i = 1; i <= 6; i++) await audit.append(did(`change ${i}`));
    const found = async (): Promise<unknown> => {
      const { fault } = await audit.verify();
      return fault === null ? 'whole' : [fault.problem, fault.seq];
    };
    const rows = await db.kysely.selectFrom('audit_entries').selectAll().orderBy('seq').execute();
    const putBack = async (): Promise<void> => {
      await db.kysely.deleteFrom('audit_entries').execute();
      await db.kysely.insertInto('audit_entries').values(rows).execute();
    };
    const set = (seq: number, values: Partial<AuditRow>) =>
      db.kysely.updateTable('audit_entries').set(values).where('seq', '=', seq).execute();
    await set(3, { actor_id: 'u2' });
    assert.deepEqual(await found(), ['edited', 3]);
    await putBack();
    await set(4, { detail: '{"name":"Eve","role":"administrator"}' });
    assert.deepEqual(await found(), ['edited', 4]);
    await putBack();
    await db.kysely.deleteFrom('audit_entries').where('seq', 'in', [2, 3]).execute();
    assert.deepEqual(await found(), ['missing', 2]);
    await putBack();
    await db.kysely.deleteFrom('audit_entries').where('seq', '=', 6).execute();
    assert.deepEqual(await found(), ['missing', 6]);
    await putBack();
    await set(2, { seq: 99 });
    await set(5, { seq: 2 });
    await set(99, { seq: 5 });
    assert.deepEqual(await found(), ['moved', 2]);
    await putBack();
    const [first] = rows;
    assert.ok(first !== undefined);
    await db.kysely
      .insertInto('audit_entries')
      .values({ ...first, seq: 7 })
      .execute();
    assert.deepEqual(await found(), ['inserted', 7]);
    await putBack();
    await text`update audit_chain set start_prev = ${'1'.repeat(64)}`.execute(db.kysely);
    assert.deepEqual(await found(), ['reordered', 1]);
    await text`update audit_chain set start_prev = ${'0'.repeat(64)}, mac = ${'1'.repeat(64)}`.execute(db.kysely);
    assert.deepEqual(await found(), ['ends_edited', null]);
  });

  test('the history of an object has what belongs to it and nothing of its neighbours; persons of older entries are found', async (t) => {
    const { audit } = await world(t, open);
    const about: readonly (readonly [kind: string, id: string | null])[] = [
      ['incidents', '7'],
      ['incidents/comments', '7'],
      ['incidents/actions', '7/3'],
      ['incidents', '70'],
      ['incidents', null],
      ['incidents_x', '7'],
      ['people', 'p%'],
      ['users', 'p%'],
      ['people/sessions', 'p%/s'],
      ['oncall/people', 'p%'],
      ['people', 'pp'],
    ];
    for (const [kind, id] of about) await audit.append(did('x', { object: { kind, id } }));
    const history = async (objectKind: string, objectId?: string) =>
      (await audit.list({ objectKind, objectId }, { beforeSeq: undefined, limit: 20 })).map(({ seq }) => seq).reverse();
    assert.deepEqual(await history('incidents', '7'), [1, 2, 3]);
    assert.deepEqual(await history('incidents'), [1, 2, 3, 4, 5]);
    assert.deepEqual(await history('people', 'p%'), [7, 8, 9]);
    assert.deepEqual(await history('oncall/people', 'p%'), [10]);
  });

  test('retention moves the start, and what is left is whole', async (t) => {
    const { audit, clock, db } = await world(t, open);
    for (let i = 1; i <= 5; i++) {
      await audit.append(did(`change ${i}`));
      await clock.advance(100 * DAY_MS);
    }
    await audit.anchor();
    assert.equal(await audit.prune(), 1);
    assert.equal(await audit.prune(), 0);
    const verdict = await audit.verify();
    assert.deepEqual([verdict.whole, verdict.from_seq, verdict.to_seq, verdict.anchors], [true, 2, 6, 1]);
    await db.kysely.deleteFrom('audit_entries').where('seq', '=', 2).execute();
    assert.equal((await audit.verify()).fault?.seq, 2, 'more than retention removed');
  });
});

test('an older state of both tables contradicts the anchors, and so does an altered anchor', async (t) => {
  const { audit, db, dataDir, clock } = await world(t, openSqliteForTest);
  await audit.append(did('change 1'));
  await audit.append(did('change 2'));
  const ends = await db.kysely.selectFrom('audit_chain').selectAll().executeTakeFirstOrThrow();
  await audit.append(did('change 3'));
  await audit.anchor();
  await audit.anchor();
  await clock.advance(HOUR_MS);
  assert.deepEqual([(await audit.verify()).anchors, readFileSync(join(dataDir, ANCHORS_FILE), 'utf8').split('\n').length], [1, 2]);
  await db.kysely.deleteFrom('audit_entries').where('seq', '=', 3).execute();
  await db.kysely.updateTable('audit_chain').set(ends).execute();
  assert.deepEqual((await audit.verify()).fault, { seq: 3, problem: 'missing', detail: 'entry 3 is missing' });
  await audit.append(did('another change 3'));
  assert.equal((await audit.verify()).fault?.problem, 'wrong_anchor');
  const file = join(dataDir, ANCHORS_FILE);
  writeFileSync(file, readFileSync(file, 'utf8').replace('"seq":3', '"seq":4'));
  assert.equal((await audit.verify()).fault?.detail, 'the anchor of entry 4 is not genuine');
});

test('no secret is kept, and what is large is kept as its digest', async (t) => {
  const { audit } = await world(t, openSqliteForTest);
  const asked = { name: 'x', password: 'hunter2', channel: { url: 'https://hooks.example/T0/abcdefghijklmnopqrstuvwxyz' } };
  await audit.append(
    did('change', {
      asked,
      after: { token: 'nines_secret', command: 'join --token njoin_aB3dEfGhIjKlMnOpQrStUvWxYz0123456789abcdefgQ7zH.x' },
      before: { lines: 'x'.repeat(100_000) },
    }),
  );
  const [entry] = await audit.list({}, { beforeSeq: undefined, limit: 1 });
  assert.ok(entry !== undefined);
  assert.doesNotMatch(JSON.stringify(entry), /hunter2|nines_secret|abcdefghijkl|xxxxx|Q7zH/);
  assert.deepEqual(entry.after, { token: '[redacted]', command: 'join --token njoin_[redacted]' });
  assert.equal((entry.before as { omitted: boolean }).omitted, true);
});

test('entries without their key stop the start, and another key does not pass for it', async (t) => {
  const { audit, dataDir, deps } = await world(t, openSqliteForTest);
  await audit.append(did('change'));
  rmSync(join(dataDir, 'audit-key.json'));
  await assert.rejects(openAuditLog({ ...deps, sealing: undefined }), { code: 'audit_key_missing' });
  const verdict = await verifyAudit({ ...deps, keys: auditKeys([createAuditKey(new Uint8Array(32))]) });
  assert.equal(verdict.fault?.problem, 'edited');
});

test('a full or broken database refuses with a sentence', async (t) => {
  const { audit, db } = await world(t, openSqliteForTest);
  await text`create trigger full before insert on audit_entries begin select raise(abort, 'disk full'); end`.execute(db.kysely);
  await assert.rejects(audit.append(did('change')), { code: 'audit_unavailable', kind: 'unavailable' });
});

const KEY = createAuditKey(new Uint8Array(32).fill(7));

/** A chain in memory, and its verdict. */
function chainOf(length: number): { readonly rows: AuditRow[]; readonly ends: AuditChainRow } {
  const rows: AuditRow[] = [];
  let prev = '0'.repeat(64);
  for (let seq = 1; seq <= length; seq++) {
    const entry: Unchained = {
      at_ms: 1_760_000_000_000 + seq,
      actor_kind: 'user',
      actor_id: `u${seq % 3}`,
      action: 'PUT /api/things/:id',
      object_kind: 'things',
      object_id: seq % 4 === 0 ? null : String(seq),
      phase: seq % 2 === 0 ? 'answered' : 'asked',
      about_seq: seq % 2 === 0 ? seq - 1 : null,
      status: seq % 2 === 0 ? 200 : null,
      request_id: `r-${seq}`,
      detail: JSON.stringify({ name: 'Ann', role: 'operator', asked: { seq } }),
    };
    const row = chained(KEY, entry, { seq, prev });
    rows.push(row);
    prev = row.digest;
  }
  const ends = { start_seq: 1, start_prev: '0'.repeat(64), seq: length, digest: prev, key_id: KEY.id };
  return { rows, ends: { id: 1, ...ends, mac: macOfEnds(KEY, ends) } };
}

async function verdictOn(rows: readonly AuditRow[], ends: AuditChainRow) {
  const sorted = [...rows].sort((a, b) => a.seq - b.seq);
  const stream = async function* (): AsyncGenerator<AuditRow> {
    yield* sorted;
  };
  return verifyChain(auditKeys([KEY]), { rows: stream(), ends, anchors: [] });
}

test('any flipped character, deleted, copied or swapped entry is named', async () => {
  const size = 12;
  const at = fc.integer({ min: 0, max: size - 1 });
  await fc.assert(
    fc.asyncProperty(at, fc.nat(), fc.nat(), fc.integer({ min: 1, max: 127 }), async (index, column, place, flip) => {
      const { rows, ends } = chainOf(size);
      const row = rows[index];
      assert.ok(row !== undefined);
      const columns = Object.keys(row).filter((name) => name !== 'seq' && row[name as keyof AuditRow] !== null);
      const name = columns[column % columns.length] as keyof AuditRow;
      const was = row[name];
      const letters = String(was).split('');
      const i = place % letters.length;
      letters[i] = String.fromCharCode((letters[i] ?? '').charCodeAt(0) ^ flip);
      const changed = typeof was === 'number' ? was + flip : letters.join('');
      rows[index] = { ...row, [name]: changed } as AuditRow;
      assert.equal((await verdictOn(rows, ends)).fault?.seq, index + 1, `${name} of entry ${index + 1}`);
    }),
  );
  await fc.assert(
    fc.asyncProperty(at, async (index) => {
      const { rows, ends } = chainOf(size);
      const { fault } = await verdictOn(rows.toSpliced(index, 1), ends);
      assert.deepEqual([fault?.problem, fault?.seq], ['missing', index + 1]);
    }),
  );
  await fc.assert(
    fc.asyncProperty(at, at, async (a, b) => {
      fc.pre(a < b);
      const { rows, ends } = chainOf(size);
      const [first, second] = [rows[a], rows[b]];
      assert.ok(first !== undefined && second !== undefined);
      const swapped = rows.with(a, { ...second, seq: first.seq }).with(b, { ...first, seq: second.seq });
      const { fault } = await verdictOn(swapped, ends);
      assert.deepEqual([fault?.problem, fault?.seq], ['moved', a + 1]);
      const copied = rows.with(b, { ...first, seq: second.seq });
      const copy = (await verdictOn(copied, ends)).fault;
      assert.deepEqual([copy?.problem, copy?.seq], ['moved', b + 1]);
      const inserted = [...rows.slice(0, b), { ...first, seq: second.seq }, ...rows.slice(b).map((row) => ({ ...row, seq: row.seq + 1 }))];
      assert.equal((await verdictOn(inserted, ends)).fault?.seq, b + 1);
    }),
  );
});

test('a break is an alert within a day, and the log is anchored once in a day with new entries', async (t) => {
  const { audit, db, clock, deps, dataDir } = await world(t, openSqliteForTest);
  await audit.append(did('change'));
  const told: Evaluation[] = [];
  const alert = async (evaluation: Evaluation): Promise<void> => {
    if (evaluation.rule.alertname === 'AuditLogBroken') told.push(evaluation);
  };
  await using _watch = await startAudit({
    ...deps,
    sealing: undefined,
    metrics: { watch: () => undefined },
    settings: () => auditConfig.parse({}),
    alert,
  });
  const passes = async (lengthMs: number, isOver: () => boolean): Promise<boolean> => clock.advance(lengthMs).then(isOver);
  await poll('the first examination', () => passes(MINUTE_MS, () => told.length > 0));
  await poll('the anchor', async () => existsSync(join(dataDir, ANCHORS_FILE)));
  await db.kysely.updateTable('audit_entries').set({ actor_id: 'eve' }).execute();
  const before = told.length;
  await poll('the next examination', () => passes(HOUR_MS, () => told.length > before));
  assert.deepEqual(
    [told[0], told.at(-1)]
      .map((one) => one?.found)
      .map((found) => (found?.kind === 'complete' ? found.active.map(({ annotations }) => annotations['summary']) : [])),
    [[], ['The audit log is broken: entry 1 is not what was written']],
  );
});
