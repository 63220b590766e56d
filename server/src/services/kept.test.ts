import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Db } from '../platform/db/open.ts';
import { forEachDatabase } from '../../../test/harness/databases.ts';
import { countingIds } from '../../../test/harness/ids.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { createBus } from '../platform/bus.ts';
import { createTestSecrets } from '../platform/secrets/testing/secrets.ts';
import { serviceSchema } from './contract.ts';
import { Services } from './service.ts';
import { writtenOf } from './written.ts';

const PASSWORD = 'canary-password-of-a-check';
const BEARER = 'canary-bearer-of-a-check';
const shop = (password: string = PASSWORD) =>
  serviceSchema.parse({
    id: 'shop',
    checks: [
      { id: 'db', kind: 'postgresql', address: '203.0.113.1:5432', database: 'shop', username: 'nines', password },
      { id: 'web', kind: 'http', url: 'https://shop.example/', auth: { bearer: BEARER } },
    ],
  });

const kept = async (db: Db): Promise<string> =>
  (await db.kysely.selectFrom('entities').select('spec').where('kind', '=', 'service').executeTakeFirstOrThrow()).spec;
const keep = (db: Db, spec: string) => db.kysely.updateTable('entities').set({ spec }).where('kind', '=', 'service').execute();

forEachDatabase((_name, open) => {
  test('secrets of checks that are made here stand sealed, also those of an older version, and come back as they were', async (t) => {
    const { db } = await open(t);
    const secrets = createTestSecrets();
    const start = async (): Promise<Services> => {
      const shared = { clock: manualClock(), ids: countingIds(), logger: silentLogger, bus: createBus(() => {}) };
      const services = new Services({ db: db.kysely, secrets, ...shared, enforce: async () => {} });
      await services.declare([]);
      return services;
    };
    const revealed = (services: Services): string => {
      const spec = services.specOf('shop');
      assert.ok(spec !== undefined);
      return JSON.stringify(writtenOf(spec, (secret) => secret.reveal()));
    };
    const first = await start();
    await first.create(shop());
    const before = revealed(first);
    assert.ok(before.includes(PASSWORD) && before.includes(BEARER));
    assert.doesNotMatch(await kept(db), /canary/);
    assert.equal(revealed(await start()), before);

    await keep(db, before);
    assert.equal(revealed(await start()), before, 'as an older version kept it');
    assert.doesNotMatch(await kept(db), /canary/, 'and sealed now');

    // Attack: the password is put where a check would send it to an address of one's own.
    const moved = JSON.parse(await kept(db)) as { checks: { password?: unknown; auth?: { bearer: unknown } }[] };
    const [stolen] = moved.checks;
    const aimed = moved.checks[1];
    assert.ok(aimed !== undefined);
    aimed.auth = { bearer: stolen?.password };
    await keep(db, JSON.stringify(moved));
    const after = await start();
    assert.doesNotMatch(revealed(after), /canary-bearer|canary-password.*canary-password/);
    assert.deepEqual(
      after.specOf('shop')?.checks.map(({ id, paused }) => [id, paused]),
      [
        ['db', false],
        ['web', true],
      ],
      'a check is not asked with a wrong secret',
    );
    await assert.rejects(after.setPaused('web', false), { code: 'secret_unreadable', message: /checks|auth/ });
    await after.update('shop', shop('anew'));
    assert.equal(
      (await start()).specOf('shop')?.checks.some(({ paused }) => paused),
      false,
    );
  });
});
