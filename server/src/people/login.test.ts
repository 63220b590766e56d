import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { accessConfig } from '../access/config.ts';
import { COMMAND_LINE } from '../access/contract.ts';
import { createIds } from '../platform/ids.ts';
import { openEntryForTest } from '../testing/entry.ts';

const GOOD = 'correct horse battery';
const ROUNDS = 15;
/** Far beyond what a busy machine does to medians of interleaved tries, far below what leaving the derivation out would show. */
const MOST_APART = 3;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

// Attack: whether a name exists is learned from how long a refusal takes.
test('an unknown name costs as many derivations as a wrong password, and takes as long', async (t) => {
  const { db } = await openSqliteForTest(t);
  const clock = manualClock();
  const { people } = openEntryForTest({ db, clock, ids: createIds(clock) });
  const token = (await people.startSetup()) ?? '';
  await people.setup({ token, name: 'Ann', password: GOOD }, { address: '10.0.0.1', userAgent: '' });
  let derivations = 0;
  const hook = createHook({ init: (_id, type) => void (type === 'ARGON2REQUEST' && derivations++) }).enable();
  t.after(() => hook.disable());
  const refused = async (name: string, round: number) => {
    const before = derivations;
    const startMs = performance.now();
    // Each round comes from another address, so that nobody has to wait.
    const place = { address: `10.0.1.${round}`, userAgent: '' };
    await assert.rejects(people.login({ name, password: 'wrong horse battery' }, place), { code: 'wrong_credentials' });
    return { tookMs: performance.now() - startMs, derivations: derivations - before };
  };
  const known: number[] = [];
  const unknown: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [a, b] = [await refused('Ann', round), await refused('Nobody', round)];
    assert.deepEqual([a.derivations, b.derivations], [1, 1]);
    known.push(a.tookMs);
    unknown.push(b.tookMs);
  }
  const apart = median(known) / median(unknown);
  assert.ok(apart < MOST_APART && apart > 1 / MOST_APART, `medians ${median(known)} ms and ${median(unknown)} ms`);
});

// Attack: a link that was made before passwords were switched off, or by an administrator since, goes round the identity provider.
test('while passwords let nobody in, only a link of the command line does', async (t) => {
  const { db } = await openSqliteForTest(t);
  const clock = manualClock();
  const policy = accessConfig.parse(undefined);
  let passwordLogin = true;
  const { directory, people } = openEntryForTest({
    db,
    clock,
    ids: createIds(clock),
    settings: () => ({ ...policy, password_login: passwordLogin }),
  });
  const place = { address: '10.0.0.1', userAgent: '' };
  const ann = { kind: 'user', id: 'ann', name: COMMAND_LINE.name, role: 'administrator' } as const;
  const early = await directory.invite(ann, { name: 'Bob', role: 'operator' });
  passwordLogin = false;
  await assert.rejects(people.join({ token: early.secret, password: GOOD }, place), { code: 'password_login_off' });
  await assert.rejects(directory.reset(ann, early.id), { code: 'password_login_off' });
  const last = await directory.reset(COMMAND_LINE, early.id);
  assert.equal((await people.join({ token: last.secret, password: GOOD }, place)).kind, 'session');
  await assert.rejects(people.login({ name: 'Bob', password: GOOD }, place), { code: 'password_login_off' });
});
