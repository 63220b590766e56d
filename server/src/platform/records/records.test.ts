import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { AppError } from '@nines/base/errors.ts';
import { forEachDatabase } from '../../../../test/harness/databases.ts';
import { countingIds } from '../../../../test/harness/ids.ts';
import { expireDocuments, findDocument, putDocument, readDocument } from './documents.ts';
import { type EntityInput, findEntity, listEntities, retireEntity, retireMissing, updateEntity, upsertEntity } from './entities.ts';
import { appendEvent, listEvents } from './events.ts';
import { claimJob, enqueueJob, failJob, findJob, finishJob, finishStep, heartbeatJob } from './jobs.ts';

const NOW = 1_760_000_000_000;
const hasCode = (code: string) => (thrown: unknown) => thrown instanceof AppError && thrown.code === code;
const shop: EntityInput = { kind: 'service', slug: 'shop', name: 'Shop', origin: 'file', originPlace: 'nines.yml:3', spec: { a: 1 } };

forEachDatabase((_name, open) => {
  it('keeps an entity’s id through changes, retirement and return', async (t) => {
    const { kysely } = (await open(t)).db;
    const at = { ids: countingIds(), nowMs: NOW };
    const made = await upsertEntity(kysely, shop, at);
    const again = await upsertEntity(kysely, shop, at);
    assert.deepEqual([again.id, again.revision], [made.id, 1]);
    assert.equal((await upsertEntity(kysely, { ...shop, name: 'Web shop' }, at)).revision, 2);
    assert.deepEqual(await retireMissing(kysely, { kind: 'service', origin: 'file', keep: ['other'] }, NOW + 5), ['shop']);
    assert.deepEqual(await listEntities(kysely, { kind: 'service' }), []);
    assert.equal((await listEntities(kysely, { kind: 'service', retired: true }))[0]?.retiredAtMs, NOW + 5);
    const back = await upsertEntity(kysely, shop, at);
    assert.deepEqual([back.id, back.retiredAtMs, back.spec], [made.id, null, { a: 1 }]);
  });

  it('refuses to take over an entity of another origin, naming where it is declared', async (t) => {
    const { kysely } = (await open(t)).db;
    const at = { ids: countingIds(), nowMs: NOW };
    await upsertEntity(kysely, shop, at);
    await assert.rejects(upsertEntity(kysely, { ...shop, origin: 'ui', originPlace: '' }, at), (thrown) => {
      assert.ok(hasCode('entity_owned_elsewhere')(thrown));
      return /nines\.yml:3/.test(String(thrown));
    });
  });

  it('refuses the update of an entity that was changed since it was read', async (t) => {
    const { kysely } = (await open(t)).db;
    const read = await upsertEntity(kysely, shop, { ids: countingIds(), nowMs: NOW });
    await updateEntity(kysely, read, { name: 'A', spec: {} });
    await assert.rejects(updateEntity(kysely, read, { name: 'B', spec: {} }), hasCode('revision_conflict'));
    assert.equal((await findEntity(kysely, 'service', 'shop'))?.name, 'A');
  });

  it('retires an entity that was read only as it was read, and says whether there was one otherwise', async (t) => {
    const { kysely } = (await open(t)).db;
    const read = await upsertEntity(kysely, shop, { ids: countingIds(), nowMs: NOW });
    await updateEntity(kysely, read, { name: 'A', spec: {} });
    await assert.rejects(retireEntity(kysely, read, NOW), hasCode('revision_conflict'));
    assert.equal((await findEntity(kysely, 'service', 'shop'))?.retiredAtMs, null);
    assert.equal(await retireEntity(kysely, { ...read, revision: 2 }, NOW), true);
    await assert.rejects(retireEntity(kysely, { ...read, revision: 3 }, NOW), hasCode('revision_conflict'));
    assert.equal(await retireEntity(kysely, { kind: 'service', slug: 'shop' }, NOW), false);
  });

  it('appends an event once per kind and key', async (t) => {
    const { kysely } = (await open(t)).db;
    const at = { ids: countingIds(), nowMs: NOW };
    const event = { kind: 'deploy', dedupKey: 'v1', atMs: NOW - 10, data: { v: 1 } };
    assert.equal(await appendEvent(kysely, event, at), true);
    assert.equal(await appendEvent(kysely, { ...event, data: { v: 2 } }, at), false);
    assert.equal(await appendEvent(kysely, { ...event, kind: 'other', personal: { ip: '::1' } }, at), true);
    const found = await listEvents(kysely, { kind: 'deploy', fromMs: NOW - 10, toMs: NOW, limit: 10 });
    assert.deepEqual(
      found.map((row) => row.data),
      [{ v: 1 }],
    );
    assert.deepEqual(await listEvents(kysely, { toMs: NOW - 10, limit: 10 }), []);
  });

  it('gives a job to one worker only, however many ask', async (t) => {
    const { db, openAgain } = await open(t);
    const other = await openAgain();
    const ids = countingIds();
    for (let i = 0; i < 5; i++) await enqueueJob(db.kysely, { kind: 'report', input: i, runAtMs: NOW, maxTries: 1 }, { ids, nowMs: NOW });
    const claim = { kinds: ['report'], owner: 'w', leaseMs: 1000 };
    const claimed = await Promise.all(Array.from({ length: 10 }, (_, i) => claimJob((i % 2 === 0 ? db : other).kysely, claim, NOW)));
    const taken = claimed.flatMap((job) => (job === undefined ? [] : [job.id]));
    assert.equal(new Set(taken).size, taken.length);
    assert.equal(taken.length, 5);
  });

  it('takes a job over with its steps when the lease lapsed, and locks the former worker out', async (t) => {
    const { kysely } = (await open(t)).db;
    const job = { kind: 'report', input: {}, runAtMs: NOW, maxTries: 2 };
    await enqueueJob(kysely, job, { ids: countingIds(), nowMs: NOW });
    const claim = { kinds: ['report'], owner: 'first', leaseMs: 1000 };
    assert.equal(await claimJob(kysely, claim, NOW - 1), undefined);
    const first = await claimJob(kysely, claim, NOW);
    assert.ok(first);
    await finishStep(kysely, first, { name: 'load', result: 7 });
    await heartbeatJob(kysely, first, NOW + 2000);
    assert.equal(await claimJob(kysely, claim, NOW + 1999), undefined);
    const second = await claimJob(kysely, { ...claim, owner: 'second' }, NOW + 2000);
    assert.ok(second);
    assert.deepEqual([second.fence, second.tries, second.steps], [2, 2, { load: 7 }]);
    await assert.rejects(finishJob(kysely, first, { outcome: 'late', nowMs: NOW }), hasCode('job_lease_lost'));
    await finishJob(kysely, second, { outcome: 'good', nowMs: NOW + 2001 });
    const done = await findJob(kysely, job.kind === 'report' ? second.id : '');
    assert.deepEqual([done?.state, done?.outcome, done?.finishedAtMs], ['done', 'good', NOW + 2001]);
  });

  it('tries a failing job again until its tries are used up', async (t) => {
    const { kysely } = (await open(t)).db;
    await enqueueJob(kysely, { kind: 'report', input: {}, runAtMs: NOW, maxTries: 2 }, { ids: countingIds(), nowMs: NOW });
    const claim = { kinds: ['report'], owner: 'w', leaseMs: 1000 };
    const first = await claimJob(kysely, claim, NOW);
    assert.ok(first);
    assert.equal(await failJob(kysely, first, { error: 'no', retryAtMs: NOW + 50, nowMs: NOW }), 'queued');
    assert.equal(await claimJob(kysely, claim, NOW + 49), undefined);
    const second = await claimJob(kysely, claim, NOW + 50);
    assert.ok(second);
    assert.equal(await failJob(kysely, second, { error: 'again', retryAtMs: NOW, nowMs: NOW }), 'failed');
    assert.deepEqual((await findJob(kysely, second.id))?.outcome, { error: 'again' });
  });

  it('fails a job whose lease lapsed in its last try', async (t) => {
    const { kysely } = (await open(t)).db;
    const job = await enqueueJob(kysely, { kind: 'report', input: {}, runAtMs: NOW, maxTries: 1 }, { ids: countingIds(), nowMs: NOW });
    const claim = { kinds: ['report'], owner: 'w', leaseMs: 1000 };
    await claimJob(kysely, claim, NOW);
    assert.equal(await claimJob(kysely, claim, NOW + 1000), undefined);
    assert.equal((await findJob(kysely, job.id))?.state, 'failed');
  });

  it('shares the bytes of equal documents, finds damage, and removes what expired', async (t) => {
    const { kysely } = (await open(t)).db;
    const directory = await mkdtemp(join(tmpdir(), 'nines-documents-'));
    t.after(() => rm(directory, { recursive: true }));
    const at = { directory, ids: countingIds(), nowMs: NOW };
    const input = {
      kind: 'report',
      name: 'a.txt',
      mediaType: 'text/plain',
      bytes: Buffer.from('hello'),
      author: 'x',
      expiresAtMs: NOW + 10,
    };
    const first = await putDocument(kysely, input, at);
    const second = await putDocument(kysely, { ...input, expiresAtMs: null }, at);
    assert.equal(Buffer.from(await readDocument(directory, first)).toString(), 'hello');
    assert.equal(await expireDocuments(kysely, directory, NOW + 9), 0);
    assert.equal(await expireDocuments(kysely, directory, NOW + 10), 1);
    assert.equal(await findDocument(kysely, first.id), undefined);
    await readDocument(directory, second);
    await writeFile(join(directory, second.sha256.slice(0, 2), second.sha256), 'other');
    await assert.rejects(readDocument(directory, second), hasCode('document_damaged'));
    const third = await putDocument(kysely, { ...input, bytes: Buffer.from('bye') }, at);
    assert.equal(await expireDocuments(kysely, directory, NOW + 10), 1);
    await assert.rejects(readDocument(directory, third), hasCode('document_missing'));
    assert.deepEqual(await readdir(join(directory, third.sha256.slice(0, 2))), []);
  });
});
