import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AppError } from '@nines/base/errors.ts';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { type OpenDatabase, forEachDatabase } from '../../../test/harness/databases.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { openEntryForTest } from '../testing/entry.ts';
import { createIds } from '../platform/ids.ts';

const GOOD = 'correct horse battery';
const BETTER = 'another good long one';
const HERE = { address: '192.0.2.1', userAgent: 'Firefox' };

/** Ann has a second factor. */
async function world(t: TestContext, open: OpenDatabase) {
  const { db } = await open(t);
  const clock = manualClock();
  const factors = { required: async () => ['totp' as const], forget: async () => {} };
  const recorded: string[] = [];
  const record = async (_trx: unknown, { action }: { readonly action: string }) => recorded.push(action);
  const ids = createIds(clock);
  const entry = openEntryForTest({ db, clock, ids, record, factors });
  await entry.people.setup({ token: (await entry.people.startSetup()) ?? '', name: 'Ann', password: GOOD }, HERE);
  const challenge = async (): Promise<string> => {
    const answer = await entry.people.login({ name: 'Ann', password: GOOD }, HERE);
    assert.ok(answer.kind === 'factor_needed' && answer.kinds[0] === 'totp');
    return answer.challenge;
  };
  return { db, clock, ids, recorded, ...entry, challenge };
}

const refusal = (code: string) => (thrown: unknown) => thrown instanceof AppError && thrown.code === code;

forEachDatabase((_name, open) => {
  test('a right password with a second factor opens nothing until the factor was shown, once', async (t) => {
    const { db, sessions, pending, challenge, recorded } = await world(t, open);
    const secret = await challenge();
    assert.equal(await sessions.actorOf(secret), undefined, 'the challenge is no session');
    const stored = JSON.stringify(await db.kysely.selectFrom('pending_logins').selectAll().execute());
    assert.ok(!stored.includes(secret), 'the table cannot be used as a challenge');
    assert.equal((await pending.trying(secret, HERE)).name, 'Ann');
    const both = await Promise.allSettled([1, 2].map(() => pending.finish(secret, HERE, 'totp')));
    const won = both.flatMap((one) => (one.status === 'fulfilled' ? [one.value.cookie] : []));
    assert.equal(won.length, 1, 'of two who replay it, one signs in');
    assert.equal((await sessions.actorOf(won[0] ?? ''))?.actor.name, 'Ann');
    assert.equal(recorded.filter((action) => action === 'factor.shown').length, 1);
  });

  test('a challenge taken from the browser is worth nothing elsewhere, later, or to a person who was disabled', async (t) => {
    const { db, clock, pending, challenge } = await world(t, open);
    const secret = await challenge();
    for (const place of [
      { ...HERE, address: '192.0.2.9' },
      { ...HERE, userAgent: 'curl' },
    ]) {
      await assert.rejects(pending.finish(secret, place, 'totp'), refusal('sign_in_again'));
    }
    await assert.rejects(pending.look('unknown', HERE), refusal('sign_in_again'));
    await db.kysely.updateTable('users').set({ disabled_at_ms: 1 }).execute();
    await assert.rejects(pending.look(secret, HERE), refusal('sign_in_again'));
    await db.kysely.updateTable('users').set({ disabled_at_ms: null }).execute();
    await pending.look(secret, HERE);
    await clock.advance(5 * 60_000);
    await assert.rejects(pending.finish(secret, HERE, 'totp'), refusal('sign_in_again'));
  });

  test('attack: a sign-in, or a link, from before the password was changed lets nobody in after it', async (t) => {
    const { db, people, directory, pending, challenge } = await world(t, open);
    const begun = await challenge();
    const { id, name, role } = await directory.find('Ann');
    const { secret } = await directory.reset({ kind: 'user', id, name, role }, id);
    const ann = { kind: 'user', id, name, role, teamId: 'default', scope: FULL_SCOPE } as const;
    await people.changePassword(ann, { current: GOOD, next: BETTER }, HERE);
    await assert.rejects(pending.finish(begun, HERE, 'totp'), refusal('sign_in_again'));
    await assert.rejects(people.join({ token: secret, password: GOOD }, HERE), refusal('link_invalid'));
    assert.equal((await db.kysely.selectFrom('pending_logins').selectAll().execute()).length, 0);
  });

  test('attack: who signs in with the old password, or while they are disabled, at the same instant is not left with a session', async (t) => {
    const { db, clock, ids, people, directory, sessions } = await world(t, open);
    const { id, name, role, password_hash } = await directory.find('Ann');
    const ann = { kind: 'user', id, name, role, teamId: 'default', scope: FULL_SCOPE } as const;
    // Another entry on the same database, where nobody has a second factor.
    const plain = openEntryForTest({ db, clock, ids, factors: { required: async () => [], forget: async () => {} } });
    const login = () => plain.people.login({ name, password: GOOD }, HERE);
    const all = await Promise.allSettled([login(), people.changePassword(ann, { current: GOOD, next: BETTER }, HERE), login(), login()]);
    assert.equal(all[1]?.status, 'fulfilled');
    for (const one of [all[0], all[2], all[3]])
      if (one?.status === 'fulfilled' && 'cookie' in one.value) assert.equal(await sessions.actorOf(one.value.cookie), undefined);
    await assert.rejects(sessions.start(ann, HERE, password_hash), refusal('sign_in_again'), 'the password it was examined with is gone');
    await db.kysely.updateTable('users').set({ disabled_at_ms: 1 }).execute();
    await assert.rejects(sessions.start(ann, HERE), refusal('sign_in_again'));
    const live = await db.kysely.selectFrom('sessions').selectAll().execute();
    assert.equal(live.length, 1, 'that of who changed the password');
  });

  test('codes cannot be guessed: five tries a challenge, and new challenges do not reset the wait', async (t) => {
    const { clock, pending, challenge } = await world(t, open);
    const first = await challenge();
    for (let i = 0; i < 5; i++) await pending.trying(first, HERE);
    await assert.rejects(pending.trying(first, HERE), refusal('too_many_tries'));
    await clock.advance(1_100);
    await assert.rejects(pending.trying(first, HERE), refusal('sign_in_again'), 'the challenge is worn out');
    const second = await challenge();
    await pending.trying(second, HERE);
    await assert.rejects(pending.trying(second, HERE), refusal('too_many_tries'), 'the person waits whichever challenge is shown');
  });
});
