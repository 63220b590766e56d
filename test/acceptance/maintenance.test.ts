import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';

const CONFIG = `
services:
  - { id: shop }
  - { id: db }
slas:
  - { id: excludes, service: shop, indicator: { kind: availability }, target: 99%, window: { rolling: 1h }, maintenance: exclude }
  - { id: notice, service: shop, indicator: { kind: availability }, target: 99%, window: { rolling: 1h }, maintenance: { notice: 1h } }
  - { id: allows, service: shop, indicator: { kind: availability }, target: 99%, window: { rolling: 1h }, maintenance: { allowance: 1m, per: month } }
  - { id: counts, service: shop, indicator: { kind: availability }, target: 99%, window: { rolling: 1h } }
maintenance:
  - { id: weekly, services: [db], cron: '0 3 * * sun', duration: 2h }
`;
type Occurrences = {
  readonly items: readonly {
    readonly window: string;
    readonly from_at_ms: number;
    readonly to_at_ms: number;
    readonly announced_at_ms: number;
  }[];
};
type Window = {
  readonly id: string;
  readonly active: boolean;
  readonly announced_at_ms: number;
  readonly next: { readonly from_at_ms: number } | null;
};

let nines: Nines;
before(async () => {
  nines = await startNines({ config: CONFIG });
});
after(() => nines[Symbol.asyncDispose]());

const post = (body: object) => nines.send<Window & { readonly code?: string; readonly detail?: string }>('POST', '/api/maintenance', body);
const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();
const within = async (from: string, to: string, more = ''): Promise<Occurrences['items']> =>
  (await nines.get<Occurrences>(`/api/maintenance-occurrences?from=${from}&to=${to}${more}`)).json.items;

test('a window is announced, another schedule announced anew, and ended; what had been announced can be asked again', async () => {
  const once = { id: 'move', name: 'Move', services: ['shop'], from: inHours(2), to: inHours(3) };
  const made = await post(once);
  assert.equal(made.status, 201, made.text);
  assert.equal((await post(once)).json.code, 'maintenance_exists');
  const renamed = await nines.send<Window>('PUT', '/api/maintenance/move', { ...once, name: 'The move' });
  assert.equal(renamed.json.announced_at_ms, made.json.announced_at_ms, 'a name is no plan');
  await new Promise((resolve) => setTimeout(resolve, 20));
  const longer = await nines.send<Window>('PUT', '/api/maintenance/move', { ...once, to: inHours(4) });
  assert.ok(longer.json.announced_at_ms > made.json.announced_at_ms, 'another plan is');
  const [known, now] = [made.json.announced_at_ms, longer.json.announced_at_ms].map((atMs) => `&service=shop&known_at=${atMs / 1000}`);
  const lengths = async (more = ''): Promise<readonly number[]> =>
    (await within(inHours(1), inHours(9), more))
      .filter(({ window }) => window === 'move')
      .map((one) => Math.round((one.to_at_ms - one.from_at_ms) / 3_600_000));
  assert.deepEqual([await lengths(known), await lengths(now)], [[1], [2]]);
  assert.equal((await nines.send('DELETE', '/api/maintenance/move')).status, 204);
  assert.deepEqual([await lengths('&service=shop'), await lengths(now)], [[], [2]]);
  assert.equal((await nines.get('/api/maintenance/move')).status, 404);
});

test('windows come again by cron and by calendar rule, in the clock of their zone', async () => {
  const year = new Date().getUTCFullYear() + 1;
  const cron = { id: 'berlin', services: ['shop'], cron: '30 3 * * *', zone: 'Europe/Berlin', duration: '45m' };
  const rrule = {
    id: 'sundays',
    services: ['shop'],
    rrule: 'FREQ=MONTHLY;BYDAY=1SU',
    start: `${year}-01-01 02:30`,
    zone: 'America/New_York',
    duration: '1h',
  };
  for (const body of [cron, rrule]) assert.equal((await post(body)).status, 201);
  const starts = async (window: string, from: string, to: string): Promise<readonly string[]> =>
    (await within(from, to)).filter((one) => one.window === window).map((one) => new Date(one.from_at_ms).toISOString().slice(11, 16));
  assert.deepEqual(await starts('berlin', `${year}-01-10T00:00:00Z`, `${year}-01-12T00:00:00Z`), ['02:30', '02:30'], 'winter time');
  assert.deepEqual(await starts('berlin', `${year}-07-10T00:00:00Z`, `${year}-07-11T00:00:00Z`), ['01:30'], 'summer time');
  const sundays = (await within(`${year}-01-01T00:00:00Z`, `${year}-07-01T00:00:00Z`)).filter((one) => one.window === 'sundays');
  assert.equal(sundays.length, 6);
  for (const one of sundays) assert.ok(new Date(one.from_at_ms).getUTCDay() === 0 && new Date(one.from_at_ms).getUTCDate() <= 7);
});

test('a contract excludes maintenance on its terms: notice, allowance, or not at all', async () => {
  const now = { id: 'now', services: ['shop'], from: inHours(-0.1), to: inHours(0.5) };
  assert.equal((await post(now)).status, 201);
  type Sla = { readonly buckets: { readonly excluded_ms: number } };
  const excluded = async (id: string): Promise<number> => (await nines.get<Sla>(`/api/slas/${id}`)).json.buckets.excluded_ms;
  const soon = await poll('maintenance to be excluded', async () => {
    const ms = await excluded('excludes');
    return ms > 2_000 ? ms : undefined;
  });
  assert.ok(soon < 0.1 * 3_600_000, 'nothing from before it was announced');
  assert.deepEqual([await excluded('notice'), await excluded('counts')], [0, 0]);
  const allowed = await poll('some of the allowance to be used', async () => (await excluded('allows')) || undefined);
  assert.ok(allowed > 0 && allowed <= 60_000, 'never more than the allowance');
  const timeline = await nines.get<{ maintenance: readonly { window: string }[] }>('/api/services/shop/timeline');
  assert.ok(
    timeline.json.maintenance.some(({ window }) => window === 'now'),
    'it lies on top of the ledger',
  );
});

test('what cannot be is refused with the reason', async () => {
  const once = { id: 'bad', services: ['shop'], from: inHours(20), to: inHours(21) };
  const f = async (body: object, want: RegExp): Promise<void> => {
    const { status, text } = await post(body);
    assert.equal(status, 400, text);
    assert.match(text, want);
  };
  await f({ ...once, to: inHours(19) }, /ends before it begins/);
  await f({ ...once, services: ['ghost'] }, /no service \\?"ghost/);
  await f({ ...once, from: inHours(-3), to: inHours(-2) }, /lies in the past/);
  await f({ id: 'bad', services: ['shop'], cron: '0 3 * * *', zone: 'Mars/Base', duration: '1h' }, /no time zone \\?"Mars\/Base/);
  await f({ id: 'bad', services: ['shop'], cron: '0 3 * * *', duration: '25h' }, /overlap/);
  await f({ id: 'bad', services: ['shop'], cron: '0 3 30 2 *', duration: '1h' }, /never comes/);
  await f({ ...once, rrule: 'FREQ=DAILY' }, /either/);
  assert.equal((await post({ ...once, id: 'first' })).status, 201);
  await f({ ...once, id: 'second', from: inHours(20.5) }, /overlaps \\?"first/);
  const file = await nines.send<{ code: string; detail: string }>('DELETE', '/api/maintenance/weekly');
  assert.deepEqual([file.status, file.json.code], [409, 'maintenance_owned_by_file']);
  assert.match(file.json.detail, /nines\.yml:/);
});
