import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import { type Labels, labelsOf } from '@nines/model/labels.ts';
import { scopeOfTeams } from '@nines/model/scope.ts';
import { FULL_SCOPE, type Scope } from '@nines/model/storage.ts';
import { createBatchBuilder } from '@nines/model/write-batch.ts';
import { createEngine } from '@nines/promql/engine.ts';
import { openStore } from '@nines/tsdb/store.ts';
import { recordingLogger } from '../../../test/harness/logs.ts';
import { manualClock, settle } from '../../../test/harness/manual-clock.ts';
import { poll } from '../../../test/harness/poll.ts';
import { createSelfMetrics } from '../collect/self.ts';
import type { Actor, StreamReader } from '../platform/http/contract.ts';
import { Values } from './service.ts';

type Item = Readonly<Record<string, unknown>> & { readonly query?: string; readonly key?: string };
type Message = { readonly type: string; readonly data: readonly Item[] };

/** A browser's stream: what it was sent, and whether it takes more. */
class Browser implements StreamReader {
  actor: Actor;
  readonly messages: Message[] = [];
  readonly raw: Buffer[] = [];
  takes = true;

  constructor(scope: Scope = FULL_SCOPE) {
    this.actor = { kind: 'token', id: 't', name: 't', role: 'read-only', teamId: 'default', scope };
  }

  send(events: Buffer): boolean {
    if (!this.takes) return false;
    this.raw.push(events);
    for (const [, json] of events.toString().matchAll(/^data: (.*)$/gm)) this.messages.push(JSON.parse(json ?? '') as Message);
    return true;
  }

  items(): readonly Item[] {
    return this.messages.flatMap(({ data }) => data);
  }

  /** Items since the last call. */
  fresh(): readonly Item[] {
    const items = this.items();
    this.messages.length = 0;
    return items;
  }
}

async function world(t: TestContext, { most, each }: { readonly most?: number; readonly each?: number } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'nines-values-'));
  const clock = manualClock();
  const store = await openStore({ dir, retentionMs: 30 * 86_400_000, logger: recordingLogger() });
  const metrics = createSelfMetrics();
  let mayRead = true;
  let evaluated = 0;
  const engine = createEngine({});
  const values = new Values({
    engine: { ...engine, instant: (...asked) => (evaluated++, engine.instant(...asked)) },
    queryable: store,
    clock,
    metrics,
    labelsOfRef: (ref) => store.labelsOfRef(ref),
    processorMs: () => 0,
    mayRead: () => mayRead,
    ...(most !== undefined && { most }),
    ...(each !== undefined && { each }),
  });
  t.after(async () => {
    await values[Symbol.asyncDispose]();
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const write = async (samples: readonly { readonly labels: Labels; readonly value: number; readonly agoMs?: number }[]): Promise<void> => {
    const builder = createBatchBuilder();
    for (const { labels, value, agoMs = 0 } of samples) builder.add(labels, clock.now() - agoMs, value);
    const { refs } = await store.append(builder.batch(), clock.now());
    values.committed(refs);
  };
  /** Lets time pass, and what is evaluated meanwhile end. */
  const pass = async (lengthMs: number): Promise<void> => {
    for (let left = lengthMs; left > 0; left -= 50) {
      await clock.advance(Math.min(50, left));
      await settle();
    }
  };
  const figure = (name: string): number =>
    metrics
      .collect()
      .filter((family) => family.name === name)
      .flatMap((family) => family.samples)
      .reduce((sum, { value }) => sum + value, 0);
  return { clock, values, write, pass, figure, evaluated: () => evaluated, forbid: () => (mayRead = false) };
}

const load = (host: string, team = 'quokka'): Labels => labelsOf({ __name__: 'load', host, team });
const asking = (expr: string, key = 'k', step_ms: number | null = null) => ({ key, expr, step_ms });

describe('values that are followed', () => {
  it('come whole at first, and then as what changed, within a second of their samples', async (t) => {
    const w = await world(t);
    await w.write([{ labels: load('a'), value: 1 }]);
    const browser = new Browser();
    const { queries } = w.values.follow(browser, [asking('load')]);
    assert.deepEqual(queries, [{ key: 'k', query: 'q1', error: null }]);
    await w.pass(100);
    const [first, ...rest] = browser.fresh();
    assert.deepEqual(rest, []);
    assert.deepEqual([first?.key, first?.['start'], first?.['now']], ['k', true, [[0, 1]]]);
    await w.pass(900);
    browser.fresh();
    await w.write([
      { labels: load('a'), value: 2 },
      { labels: load('b'), value: 5 },
    ]);
    await w.pass(600);
    const [change] = browser.fresh();
    assert.deepEqual(change?.['now'], [
      [0, 2],
      [1, 5],
    ]);
    assert.deepEqual(change?.['series'], [[1, { __name__: 'load', host: 'b', team: 'quokka' }]]);
    assert.equal(change?.key, undefined);
  });

  it('are evaluated once for all who follow the same query, and sent as the same bytes', async (t) => {
    const w = await world(t);
    await w.write([{ labels: load('a'), value: 1 }]);
    const browsers = Array.from({ length: 50 }, () => new Browser());
    browsers.forEach((browser, at) => w.values.follow(browser, [asking(at % 2 === 0 ? 'sum(load)' : 'sum( load )')]));
    await w.pass(1_000);
    const before = w.evaluated();
    for (const browser of browsers) {
      browser.fresh();
      browser.raw.length = 0;
    }
    await w.write([{ labels: load('a'), value: 2 }]);
    await w.pass(600);
    assert.equal(w.evaluated() - before, 1);
    assert.equal(w.figure('nines_live_queries'), 1);
    assert.equal(new Set(browsers.flatMap(({ raw }) => raw)).size, 1, 'one buffer for all');
    for (const browser of browsers) assert.deepEqual(browser.fresh()[0]?.['now'], [[0, 2]]);
  });

  it('are not evaluated for samples that they do not read', async (t) => {
    const w = await world(t);
    await w.write([{ labels: load('a'), value: 1 }]);
    w.values.follow(new Browser(), [asking('load{host="a"}')]);
    await w.pass(1_200);
    await w.write([{ labels: load('a'), value: 2 }]);
    await w.pass(1_000);
    const before = w.evaluated();
    for (let i = 0; i < 3; i++) {
      await w.write([{ labels: load('elsewhere'), value: i }]);
      await w.pass(600);
    }
    assert.equal(w.evaluated(), before);
  });

  it('bring points of the grid as their instants pass, and correct them when samples come late', async (t) => {
    const w = await world(t);
    await w.pass(10_000 - (w.clock.now() % 10_000) + 1_000);
    await w.write([{ labels: load('a'), value: 1 }]);
    const browser = new Browser();
    w.values.follow(browser, [asking('sum(count_over_time(load[10s]))', 'k', 10_000)]);
    await w.pass(500);
    browser.fresh();
    await w.pass(10_000);
    const points = (items: readonly Item[]) => items.flatMap((item) => (item['tail'] as [number, [number, number][]][] | undefined) ?? []);
    const [[atMs, values] = [0, []]] = points(browser.fresh());
    assert.equal(atMs % 10_000, 0);
    assert.deepEqual(values, [[0, 1]]);
    await w.write([{ labels: load('b'), value: 1, agoMs: w.clock.now() - atMs + 1 }]);
    await w.pass(700);
    assert.deepEqual(
      points(browser.fresh()).find(([at]) => at === atMs),
      [atMs, [[0, 2]]],
    );
  });

  it('skip to the newest for whoever does not keep up, and this is counted', async (t) => {
    const w = await world(t);
    await w.write([{ labels: load('a'), value: 1 }]);
    const browser = new Browser();
    w.values.follow(browser, [asking('load')]);
    await w.pass(1_000);
    browser.fresh();
    browser.takes = false;
    for (const value of [2, 3, 4]) {
      await w.write([{ labels: load('a'), value }]);
      await w.pass(1_000);
    }
    browser.takes = true;
    await w.write([{ labels: load('a'), value: 5 }]);
    await w.pass(1_000);
    const items = browser.fresh();
    assert.deepEqual([items[0]?.['start'], items.at(-1)?.['now']], [true, [[0, 5]]]);
    assert.doesNotMatch(JSON.stringify(items), /"now":\[\[0,[23]\]\]/);
    assert.ok(w.figure('nines_live_messages_total') > 3);
  });

  it('of many wide queries lie in memory by the portion for who reads slowly, and all arrive', async (t) => {
    const w = await world(t);
    await w.write(Array.from({ length: 400 }, (_, i) => ({ labels: load(`host-${i}-${'x'.repeat(300)}`), value: i })));
    const wanted = Array.from({ length: 8 }, (_, i) => asking(`load + ${i}`, `k${i}`));
    const first = new Browser();
    w.values.follow(first, wanted);
    await w.pass(2_000);
    const slow = new Browser();
    const send = slow.send.bind(slow);
    const sizes: number[] = [];
    slow.send = (events) => {
      if (!slow.takes) return false;
      sizes.push(events.length);
      send(events);
      slow.takes = false;
      return true;
    };
    w.values.follow(slow, wanted);
    for (let turn = 0; turn < 40; turn++) {
      slow.takes = true;
      await w.pass(300);
    }
    assert.deepEqual([...new Set(slow.items().flatMap(({ key }) => key ?? []))].sort(), wanted.map(({ key }) => key).sort());
    assert.ok(Math.max(...sizes) < 400_000, String(Math.max(...sizes)));
    assert.ok(first.items().length >= wanted.length);
  });

  it('do not all belong to one person, who may follow what they follow already', async (t) => {
    const w = await world(t, { each: 2 });
    const [one, two, other] = [new Browser(), new Browser(), new Browser()];
    other.actor = { ...other.actor, id: 'somebody else' };
    const errors = (browser: Browser, ...exprs: readonly string[]) =>
      w.values
        .follow(
          browser,
          exprs.map((expr) => asking(expr, expr)),
        )
        .queries.map(({ error }) => error?.code ?? 'followed');
    assert.deepEqual(errors(one, 'a', 'b'), ['followed', 'followed']);
    assert.deepEqual(errors(two, 'a', 'c'), ['followed', 'too_many_queries']);
    assert.deepEqual(errors(one, 'c', 'a', 'd'), ['followed', 'followed', 'too_many_queries']);
    assert.deepEqual(errors(other, 'd', 'e'), ['followed', 'followed']);
    assert.equal(w.figure('nines_live_queries'), 4, 'what was refused is not evaluated');
  });

  it('are within the scope of who looks, and of who they are now', async (t) => {
    const w = await world(t);
    await w.write([
      { labels: load('a', 'quokka'), value: 1 },
      { labels: load('b', 'zebra'), value: 10 },
    ]);
    const [own, all] = [new Browser(scopeOfTeams(['quokka'])), new Browser()];
    for (const browser of [own, all]) w.values.follow(browser, [asking('load'), asking('sum(load)', 'sum', 1_000)]);
    await w.pass(1_200);
    assert.doesNotMatch(JSON.stringify(own.items()), /zebra/);
    assert.match(JSON.stringify(all.items()), /zebra/);
    const sums = (browser: Browser) => browser.fresh().find(({ key }) => key === 'sum')?.['now'];
    assert.deepEqual([sums(own), sums(all)], [[[0, 1]], [[0, 11]]]);
    // Moved to the other team: told anew, by what they may see from here on.
    own.actor = { ...own.actor, scope: scopeOfTeams(['zebra']) };
    w.values.examined(own);
    await w.write([
      { labels: load('a', 'quokka'), value: 2 },
      { labels: load('b', 'zebra'), value: 20 },
    ]);
    await w.pass(1_200);
    const moved = own.fresh();
    assert.doesNotMatch(JSON.stringify(moved), /quokka/);
    assert.ok(moved.some(({ key, ...item }) => key === 'sum' && item['start'] === true));
  });

  it('end for whoever may not read metrics any more, and with the stream', async (t) => {
    const w = await world(t);
    const browser = new Browser();
    w.values.follow(browser, [asking('load')]);
    await w.pass(300);
    w.forbid();
    w.values.examined(browser);
    assert.equal(browser.messages.at(-1)?.type, 'values.ended');
    assert.equal(w.figure('nines_live_queries'), 0);
    const other = new Browser();
    w.values.follow(other, [asking('load')]);
    assert.equal(w.figure('nines_live_queries'), 1);
    w.values.ended(other);
    assert.equal(w.figure('nines_live_queries'), 0);
    assert.equal(w.figure('nines_live_followers'), 0);
  });

  it('say why there are none, and go on when there are some again', async (t) => {
    const w = await world(t);
    await w.write([{ labels: load('a'), value: 1 }]);
    const browser = new Browser();
    const { queries } = w.values.follow(browser, [asking('sum(', 'broken'), asking('load + on() load', 'k'), asking('load[1m]', 'matrix')]);
    assert.deepEqual([queries[0]?.query, queries[0]?.error?.code], [null, 'invalid_query']);
    await w.pass(300);
    const byKey = new Map(browser.fresh().map((item) => [item.key, item]));
    assert.match(String(byKey.get('matrix')?.['error']), /gives a matrix/);
    assert.deepEqual(byKey.get('k')?.['now'], [[0, 2]]);
    await w.write([{ labels: load('b'), value: 1 }]);
    await w.pass(1_500);
    const failed = browser.fresh().filter((item) => item['error'] !== undefined);
    assert.match(String(failed[0]?.['error']), /many-to-many|duplicate/);
    assert.equal(failed.length, 1, 'once, not with every sample');
  });

  it('are bounded: so many queries in all, one key once, so many series', async (t) => {
    const w = await world(t, { most: 2 });
    const told = w.values.follow(new Browser(), [asking('a', '1'), asking('b', '2'), asking('c', '3'), asking('a', '1')]);
    assert.deepEqual(
      told.queries.map(({ error }) => error?.code ?? null),
      [null, null, 'too_many_queries', 'duplicate_key'],
    );
    const one = await world(t);
    await one.write(Array.from({ length: 501 }, (_, at) => ({ labels: labelsOf({ __name__: 'wide', n: String(at) }), value: at })));
    const browser = new Browser();
    one.values.follow(browser, [asking('wide')]);
    await one.pass(500);
    await poll('the refusal', () => browser.items().length > 0);
    const [item] = browser.items();
    assert.match(String(item?.['error']), /gives 501 series; a query of more than 500 cannot be followed/);
    assert.equal(item?.['unfit'], true, 'who wants it asks');
  });

  it('tell when samples last arrived and how often they do', async (t) => {
    const w = await world(t);
    await w.write([{ labels: load('a'), value: 1 }]);
    const browser = new Browser();
    w.values.follow(browser, [asking('load')]);
    await w.pass(2_000);
    for (let i = 0; i < 3; i++) {
      await w.write([{ labels: load('a'), value: i }]);
      await w.pass(15_000);
    }
    const last = browser.fresh().at(-1);
    assert.equal(last?.['every_ms'], 15_000);
    assert.ok(w.clock.now() - Number(last['heard_at_ms']) <= 15_000);
  });
});
