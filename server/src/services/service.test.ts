import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { forEachDatabase, openSqliteForTest } from '../../../test/harness/databases.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import type { ServicePlan } from '../availability/contract.ts';
import type { CheckSpec } from '../checks/contract.ts';
import { createJudge, policiesAtAgents } from '../platform/fetch/judge.ts';
import { createTestSecrets } from '../platform/secrets/testing/secrets.ts';
import { createBus } from '../platform/bus.ts';
import type { Db } from '../platform/db/open.ts';
import { listEntities } from '../platform/records/entities.ts';
import { serviceSchema, servicesConfig, type ServiceSpec, type WrittenService } from './contract.ts';
import { findCycle, judgeServices } from './evaluate.ts';
import { SERVICE_KIND } from './kept.ts';
import { CHECK_KIND, type DeclaredService, Services } from './service.ts';
import { writtenOf } from './written.ts';

let ids = 0;
type InForce = { readonly plans: readonly ServicePlan[]; readonly specs: readonly CheckSpec[] };
function servicesOn(db: Db): { services: Services; inForce: () => InForce; warnings: string[] } {
  let last: InForce = { plans: [], specs: [] };
  const warnings: string[] = [];
  const logger = {
    debug() {},
    info() {},
    warn: (message: string) => void warnings.push(message),
    error: (message: string) => assert.fail(message),
    child: () => logger,
  };
  const services = new Services({
    db: db.kysely,
    clock: manualClock(),
    ids: { uuid: () => `id-${ids++}`, secret: () => '' },
    logger,
    bus: createBus(() => {}),
    secrets: SECRETS,
    judgeAtAgents: createJudge(policiesAtAgents({ allow: ['10.0.0.0/8'], deny: [] })),
    enforce: async (inForce) => void (last = inForce),
  });
  return { services, inForce: () => last, warnings };
}
/** Starts of one server have one key. */
const SECRETS = createTestSecrets();
const spec = (written: WrittenService): ServiceSpec => serviceSchema.parse(written);
const tcp = (id: string): NonNullable<WrittenService['checks']>[number] => ({ id, kind: 'tcp', address: '203.0.113.1:1' });
const declared = (...written: WrittenService[]): DeclaredService[] =>
  written.map((one, i) => ({ spec: spec(one), place: `nines.yml:${i + 1}` }));

forEachDatabase((_name, open) => {
  test('a paused check is listed and has no voice', async (t) => {
    const { db } = await open(t);
    const { services, inForce } = servicesOn(db);
    await services.declare(declared({ id: 'shop', checks: [{ ...tcp('a'), paused: true }, tcp('b')] }));
    assert.deepEqual(
      inForce().specs.map((check) => [check.id, check.paused]),
      [
        ['a', true],
        ['b', false],
      ],
    );
    assert.deepEqual(
      inForce().plans.map((plan) => plan.checks.map((check) => check.check)),
      [['b']],
    );
  });

  test('services of the file are entities with their place; leaving the file retires them, coming back keeps their identity', async (t) => {
    const { db } = await open(t);
    const { services, inForce } = servicesOn(db);
    await services.declare(
      declared({ id: 'shop', name: 'Web shop', checks: [tcp('shop-port')], depends_on: ['db'] }, { id: 'db', checks: [tcp('db-port')] }),
    );
    assert.deepEqual(
      services.list().map((entry) => [entry.id, entry.name, entry.origin]),
      [
        ['db', 'db', { kind: 'file', place: 'nines.yml:2' }],
        ['shop', 'Web shop', { kind: 'file', place: 'nines.yml:1' }],
      ],
    );
    assert.deepEqual(services.dependents('db'), ['shop']);
    assert.deepEqual(
      inForce().plans.map((plan) => [plan.service, plan.checks.map((check) => check.check)]),
      [
        ['shop', ['shop-port']],
        ['db', ['db-port']],
      ],
    );
    const shopId = services.get('shop')?.entityId;
    await services.declare(declared({ id: 'db', checks: [] }));
    assert.equal(services.get('shop'), undefined);
    assert.deepEqual(
      (await listEntities(db.kysely, { kind: SERVICE_KIND })).map((entity) => entity.slug),
      ['db'],
    );
    assert.deepEqual(await listEntities(db.kysely, { kind: CHECK_KIND }), []);
    await services.declare(declared({ id: 'db' }, { id: 'shop', checks: [tcp('shop-port')] }));
    assert.equal(services.get('shop')?.entityId, shopId);
  });

  test('a service made through the API is changed there, survives a restart, and is untrusted', async (t) => {
    const { db, openAgain } = await open(t);
    const { services, inForce } = servicesOn(db);
    await services.declare(declared({ id: 'db' }));
    const written: WrittenService = {
      id: 'api',
      depends_on: ['db'],
      checks: [{ id: 'api-http', kind: 'http', url: 'http://h/', headers: { Authorization: 'Bearer x' } }],
    };
    await services.create(spec(written));
    await assert.rejects(services.create(spec(written)), { code: 'service_exists' });
    await assert.rejects(services.create(spec({ id: 'other', checks: [{ id: 'api-http', kind: 'tcp', address: 'h:1' }] })), {
      code: 'service_invalid',
      message: /declared twice/,
    });
    await assert.rejects(services.create(spec({ id: 'other', depends_on: ['nobody'] })), { message: /"nobody", which is no service/ });
    for (const url of ['http://127.0.0.1:9999/', 'http://localhost/', 'http://[::1]/', 'http://2130706433/', 'http://169.254.169.254/']) {
      await assert.rejects(services.create(spec({ id: 'inside', checks: [{ id: 'inside-http', kind: 'http', url }] })), {
        code: 'service_invalid',
        field: 'checks.0.url',
      });
    }
    await assert.rejects(services.create(spec({ id: 'inside', checks: [{ id: 'inside-port', kind: 'tcp', address: '127.0.0.1:1' }] })), {
      field: 'checks.0.address',
    });
    assert.equal(inForce().specs[0]?.trust, 'operator');
    const edit: WrittenService = {
      ...written,
      name: 'API',
      checks: [{ id: 'api-http', kind: 'http', url: 'http://h/', interval: '5s', headers: { Authorization: '[redacted]' } }],
    };
    await services.update('api', spec(edit));
    await assert.rejects(services.update('none', spec(edit)), { code: 'service_not_found' });
    await assert.rejects(services.update('db', spec({ id: 'db' })), { code: 'service_owned_by_file', message: /declared at nines\.yml:1/ });
    await assert.rejects(services.remove('db'), { code: 'service_owned_by_file' });
    const again = servicesOn(await openAgain());
    await again.services.declare(declared({ id: 'db' }));
    const [check] = again.inForce().specs;
    assert.ok(check?.kind === 'http');
    assert.deepEqual(
      [again.services.get('api')?.name, check.intervalMs, check.headers['Authorization']?.reveal()],
      ['API', 5_000, 'Bearer x'],
    );
    // What agents ask is judged as agents do.
    const away: WrittenService = {
      id: 'away',
      checks: [{ id: 'away-port', kind: 'tcp', address: '192.168.7.7:1', locations: ['berlin'] }],
    };
    await assert.rejects(again.services.create(spec(away)), { field: 'checks.0.address', message: /outbound\.agent\.allow/ });
    const near: WrittenService = { id: 'near', checks: [{ id: 'near-port', kind: 'tcp', address: '10.1.1.1:1', locations: ['berlin'] }] };
    await again.services.create(spec(near));
    await again.services.remove('near');
    // Who saved it last decides where it may ask, also after a restart; a pause changes nothing about that.
    assert.equal(check.trust, 'operator');
    await again.services.update('api', spec(edit), 'administrator');
    await again.services.setPaused('api-http', true);
    await again.services.declare(declared({ id: 'db' }));
    assert.equal(again.inForce().specs[0]?.trust, 'administrator');
    await again.services.remove('api');
    assert.deepEqual(
      again.services.list().map((entry) => entry.id),
      ['db'],
    );
  });
});

test('where the file and the API claim one id the file wins, and says so', async (t) => {
  const { db } = await openSqliteForTest(t);
  const { services, warnings } = servicesOn(db);
  await services.declare([]);
  await services.create(spec({ id: 'shop', checks: [tcp('port')] }));
  await services.create(spec({ id: 'other', depends_on: ['shop'], checks: [tcp('extra')] }));
  await services.declare(declared({ id: 'shop', checks: [tcp('port')] }, { id: 'third', checks: [tcp('extra')] }));
  assert.equal(services.get('shop')?.origin.kind, 'file');
  assert.deepEqual(services.get('other')?.checks, []);
  assert.equal(warnings.length, 2);
});

test('contradictions are refused at their place, cycles by name', () => {
  const f = (written: WrittenService[], want: string[]): void => {
    const parsed = servicesConfig.safeParse(written);
    assert.deepEqual(parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`), want);
  };
  f([{ id: 'a', depends_on: ['b'] }, { id: 'b' }], []);
  f([{ id: 'a' }, { id: 'a' }], ['1.id: the service "a" is declared twice']);
  f(
    [
      { id: 'a', checks: [tcp('c')] },
      { id: 'b', checks: [tcp('c')] },
    ],
    ['1.checks.0.id: the check "c" is declared twice, here and in the service "a"'],
  );
  f([{ id: 'a', depends_on: ['x'] }], ['0.depends_on.0: "a" depends on "x", which is no service']);
  f(
    [
      { id: 'a', depends_on: ['b'] },
      { id: 'b', depends_on: ['c'] },
      { id: 'c', depends_on: ['b'] },
    ],
    ['1.depends_on: services depend on each other in a circle: b → c → b'],
  );
  f([{ id: 'a', depends_on: ['a'] }], ['0.depends_on: services depend on each other in a circle: a → a']);
  f(
    [
      { id: 'a', composite: { all: ['b'] } },
      { id: 'b', composite: { at_least: 1, weights: { c: 1 } } },
      { id: 'c', depends_on: ['a'] },
    ],
    ['0.composite: services depend on each other in a circle: a → b → c → a'],
  );
  f([{ id: 'a', down_when: { at_least: 2 }, checks: [tcp('t')] }], ['0.down_when.at_least: "a" has 1 checks: 2 of them can never be down']);
  f([{ id: 'a', composite: { any: ['ghost'] } }], ['0.composite.any.0: "a" consists of "ghost", which is no service']);
  f([{ id: 'a', composite: { all: ['b', 'b'] } }, { id: 'b' }], ['0.composite.all.1: the member "b" is named twice']);
  f([{ id: 'a', composite: { at_least: 2, of: ['b'] } }, { id: 'b' }], ['0.composite.at_least: at least 2 of 1 members can never work']);
  f(
    [{ id: 'a', composite: { at_least: 9, weights: { b: 8 } } }, { id: 'b' }],
    ['0.composite.at_least: the weights sum to 8: at least 9 can never work'],
  );
  f(
    [{ id: 'a', composite: { all: ['b'] }, checks: [tcp('t')] }, { id: 'b' }],
    ['0.checks: "a" consists of other services: it has no checks of its own'],
  );
});

test('a cycle is found exactly when there is one', () => {
  const graph = fc.array(fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 3 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(graph, (edges) => {
      const services = edges.map((targets, i) => ({ id: `s${i}`, depends_on: targets.map((target) => `s${target}`), checks: [] }));
      const cycle = findCycle(services);
      // The model: what can reach itself, by repeated closure.
      const reach = edges.map((targets) => new Set(targets));
      for (let round = 0; round < 8; round++)
        for (const set of reach) for (const target of Array.from(set)) for (const next of edges[target] ?? []) set.add(next);
      assert.equal(
        cycle !== undefined,
        reach.some((set, i) => set.has(i)),
      );
      cycle?.forEach((id, i) => assert.ok(services[Number(id.slice(1))]?.depends_on.includes(cycle[(i + 1) % cycle.length] ?? '')));
    }),
  );
  const chain = Array.from({ length: 5_000 }, (_, i) => ({ id: `s${i}`, depends_on: [`s${i + 1}`], checks: [] }));
  assert.equal(judgeServices([...chain, { id: 's5000', depends_on: [], checks: [] }]).length, 0);
});

test('a declaration written out and read again is the same, secrets aside', () => {
  const one = spec({
    id: 'shop',
    tier: 1,
    checks: [
      {
        id: 'h',
        kind: 'http',
        url: 'https://h/',
        interval: '90s',
        timeout: '500ms',
        degraded_after: '1500ms',
        headers: { a: 'secret' },
        expect: { certificate_valid_for: '14d', status: ['2xx'] },
        confirm: { n: 2, of: 3 },
      },
      tcp('t'),
    ],
  });
  assert.deepEqual(JSON.stringify(spec(writtenOf(one, (secret) => secret.reveal()))), JSON.stringify(one));
  assert.ok(!JSON.stringify(writtenOf(one, 'redacted')).includes('secret'));
});
