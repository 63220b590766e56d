import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { NotificationView } from '@nines/server/notify/contract.ts';
import {
  type Fate,
  type FaultyProviders,
  KINDS,
  type Kind,
  type Told,
  channelsTo,
  startFaultyProviders,
} from '../harness/faulty-providers.ts';
import { type Answer, type Nines, freePort, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { WRITE_HEADERS, writeBody } from '../harness/remote-write.ts';

const FULL = process.env['NINES_FULL'] === '1';
const LIVES = Number(process.env['NINES_LIVES'] ?? (FULL ? 10_000 : 120));
const CRASHES = FULL ? Math.max(8, Math.round(LIVES / 50)) : 8;
/** Lives under way at once. */
const AT_ONCE = FULL ? 150 : 40;
const LONGEST_MS = FULL ? 7_200_000 : 300_000;
/** Chances of a provider's faults; the rest is taken. */
const FAULTS: readonly (readonly [Fate, number])[] = [
  ['limited', 0.04],
  ['broken', 0.06],
  ['silent', 0.01],
  ['lost', 0.04],
];

type Life = { readonly id: string; readonly via: Kind; readonly repeats: boolean; readonly acknowledged: boolean };
type Item = { readonly id: string; readonly condition: string; readonly labels: Readonly<Record<string, string>> };
type Page = { readonly items: readonly Item[]; readonly next: string | null };
type Detail = { readonly transitions: readonly { readonly kind: string }[]; readonly deliveries: readonly NotificationView[] };

/** Kinds whose messages have a key also have repeats: without one, two messages that say the same cannot be told apart. */
const lifeOf = (number: number): Life => {
  const via = KINDS[number % KINDS.length] ?? 'webhook';
  const keyed = via === 'webhook' || via === 'mail';
  return { id: `life-${number}`, via, repeats: keyed && number % 2 === 0, acknowledged: number % 3 === 0 };
};

function configFor(providers: FaultyProviders): string {
  const routes = KINDS.map((kind) => ({
    receiver: kind,
    matchers: [`via="${kind}"`],
    ...(kind === 'webhook' || kind === 'mail' ? { repeat_interval: '2s' } : {}),
  }));
  return JSON.stringify({
    channels: channelsTo(providers, { timeout: '6s', rate_limit: { messages: 100_000, per: '1s' } }),
    routing: { tree: { receiver: 'webhook', group_by: ['life'], group_wait: '0s', group_interval: '1s', repeat_interval: '4h', routes } },
    rules: { packs: [], thresholds: [{ id: 'LOAD', metric: 'crash_load', threshold: 50, clear: 50, severity: 'warning', cooldown: '0s' }] },
  });
}

function randomFate(): Fate {
  let left = Math.random();
  for (const [fate, chance] of FAULTS) {
    left -= chance;
    if (left < 0) return fate;
  }
  return 'taken';
}

/** The server that lives now, and its providers. `over`: a life failed, so the others need not go on. */
type Run = { nines: Nines; isUp: boolean; readonly providers: FaultyProviders; over: boolean };

const waitFor = <T>(run: Run, what: string, ask: () => T | Promise<T>): ReturnType<typeof poll<T>> =>
  poll(
    what,
    () => {
      if (run.over) throw new Error(`${what}: given up, because something else failed`);
      return ask();
    },
    LONGEST_MS,
  );

/** Asks until the server answers: it may be dead, or starting. */
const insist = (run: Run, what: string, ask: (nines: Nines) => Promise<Answer>): Promise<Answer> =>
  waitFor(run, what, async () => {
    if (!run.isUp) return undefined;
    const answer = await ask(run.nines).catch(() => undefined);
    return answer !== undefined && answer.status < 500 ? answer : undefined;
  });

/** One alert from its sample to its end, as a person and a monitored thing would have it. */
async function live(life: Life, run: Run): Promise<void> {
  const { id, via } = life;
  const write = async (value: number): Promise<void> => {
    const labels = { __name__: 'crash_load', life: id, via };
    const body = (): Buffer => writeBody([{ labels, samples: [[Date.now(), value]] }]);
    const { status, text } = await insist(run, `a sample of ${id}`, (nines) => nines.send('POST', '/api/v1/write', body(), WRITE_HEADERS));
    assert.equal(status, 204, text);
  };
  const heard = (status: Told['status']): ReadonlySet<string> =>
    new Set(run.providers.toldOf(id).flatMap((one) => (one.status === status && one.fate === 'taken' ? [one.message] : [])));
  await write(100);
  await waitFor(run, `the page of ${id} (${via})`, () => heard('firing').size >= (life.repeats ? 2 : 1));
  const found = await insist(run, id, (nines) => nines.get(`/api/alerts?label=${encodeURIComponent(`life="${id}"`)}`));
  const [alert] = (found.json as Page).items;
  assert.ok(alert !== undefined, `${id} is open: ${found.text}`);
  if (life.acknowledged) {
    const { status, text } = await insist(run, `acknowledging ${id}`, (nines) =>
      nines.send('POST', `/api/alerts/${alert.id}/acknowledge`, {}),
    );
    assert.equal(status, 200, text);
  }
  await write(1);
  await waitFor(run, `the resolve of ${id} (${via})`, () => heard('resolved').size >= 1);
}

async function everyAlert(nines: Nines): Promise<readonly Item[]> {
  const items: Item[] = [];
  for (let cursor = ''; ; ) {
    const { json } = await nines.get<Page>(`/api/alerts?status=all&source=LOAD&limit=1000${cursor}`);
    items.push(...json.items);
    if (json.next === null) return items;
    cursor = `&cursor=${encodeURIComponent(json.next)}`;
  }
}

const count = <T>(all: readonly T[], is: (one: T) => boolean): number => all.filter(is).length;

/** What must hold of each life, however often the server died. Returns how many copies its providers got too many. */
function judge(life: Life, told: readonly Told[], { transitions, deliveries }: Detail): number {
  const taken = told.filter(({ fate }) => fate === 'taken');
  const all = `${JSON.stringify({ life, told, transitions, deliveries }, null, 1)}`;
  const stepsOf = (kind: string): number => count(transitions, (step) => step.kind === kind);
  assert.deepEqual([stepsOf('fired'), stepsOf('resolved')], [1, 1], all);
  if (life.acknowledged) assert.ok(stepsOf('acknowledged') >= 1, all);
  assert.ok(
    deliveries.every(({ status }) => status === 'delivered' || status === 'suppressed'),
    `nothing is lost or waits: ${all}`,
  );
  const lastFiring = taken.findLastIndex(({ status }) => status === 'firing');
  const firstResolved = taken.findIndex(({ status }) => status === 'resolved');
  assert.ok(lastFiring >= 0 && lastFiring < firstResolved, `first that it fires, then that it is over: ${all}`);

  const messages = new Set(taken.map(({ message }) => message));
  const delivered = deliveries.filter(({ status }) => status === 'delivered');
  assert.equal(messages.size, delivered.length, `what history calls delivered is what was taken: ${all}`);
  let copies = 0;
  for (const message of messages) {
    const ofMessage = taken.filter((one) => one.message === message);
    assert.equal(new Set(ofMessage.map(({ epoch }) => epoch)).size, ofMessage.length, `at most one copy for each crash: ${all}`);
    copies += ofMessage.length - 1;
    const key = ofMessage[0]?.key;
    if (key === undefined) continue;
    const row = delivered.find(({ id }) => id === key);
    assert.ok(row !== undefined, `the key ${key} stands in the history: ${all}`);
    assert.ok(ofMessage.length - 1 <= row.cut_off, `each copy is explained: ${all}`);
  }
  const cutOff = deliveries.reduce((sum, row) => sum + row.cut_off, 0);
  assert.ok(copies <= cutOff, `each copy is explained: ${all}`);
  return copies;
}

async function verify(t: TestContext, { nines, providers }: Run, lives: readonly Life[]): Promise<void> {
  const { told } = providers;
  await poll(
    'every message to be settled',
    async () => (await nines.get<Page>('/api/notifications?status=queued&limit=1')).json.items.length === 0,
  );
  const alerts = new Map((await everyAlert(nines)).map((alert) => [alert.labels['life'], alert]));
  assert.equal(alerts.size, lives.length, 'each life is one alert');
  let copies = 0;
  for (const life of lives) {
    const alert = alerts.get(life.id);
    assert.equal(alert?.condition, 'resolved', life.id);
    const { json } = await nines.get<Detail>(`/api/alerts/${alert.id}`);
    copies += judge(life, providers.toldOf(life.id), json);
  }
  const fates = [...Map.groupBy(told, ({ fate }) => fate)].map(([fate, ofFate]) => `${ofFate.length} ${fate}`).join(', ');
  t.diagnostic(
    `${lives.length} lives, ${told.at(-1)?.epoch} crashes, ${told.length} messages (${fates}), ${copies} copies too many, each explained`,
  );
}

/** Kills the server again and again while lives end; the moments are random on purpose, and a failure prints all that is known of its alert. */
async function crash(run: Run, died: () => void, ended: () => number): Promise<void> {
  for (let crashes = 0; crashes < CRASHES && ended() < LIVES; crashes++) {
    const messages = run.providers.told.length;
    // Something must have happened since the last start, or the crash would prove nothing.
    const isDue = (): boolean => ended() >= (LIVES * crashes) / (CRASHES + 1) && run.providers.told.length > messages + 3;
    await waitFor(run, 'something to be sent', () => isDue() || ended() === LIVES);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 300));
    run.isUp = false;
    await run.nines.kill();
    died();
    run.nines = await startNines({ folder: run.nines.folder, port: run.nines.port });
    run.isUp = true;
  }
}

test(`no page is lost by kill -9, and each that comes twice is explained (${LIVES} lives, ${CRASHES} crashes)`, {
  timeout: LONGEST_MS,
}, async (t) => {
  let epoch = 0;
  const providers = await startFaultyProviders(t, { fateOf: randomFate, epoch: () => epoch });
  const run: Run = {
    nines: await startNines({ port: await freePort(), config: configFor(providers) }),
    providers,
    isUp: true,
    over: false,
  };
  t.after(() => run.nines[Symbol.asyncDispose]());
  const lives = Array.from({ length: LIVES }, (_, number) => lifeOf(number));
  const waiting = [...lives];
  let ended = 0;
  const worker = async (): Promise<void> => {
    for (let life = waiting.shift(); life !== undefined; life = waiting.shift()) {
      await live(life, run);
      ended++;
    }
  };
  const crashing = crash(
    run,
    () => void epoch++,
    () => ended,
  );
  const all = await Promise.allSettled(
    [crashing, ...Array.from({ length: AT_ONCE }, worker)].map((each) =>
      each.catch((thrown: unknown) => {
        run.over = true;
        throw thrown;
      }),
    ),
  );
  const failed = all.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  await verify(t, run, lives);
});
