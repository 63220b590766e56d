import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { settle } from '../../../test/harness/manual-clock.ts';
import { Desk, type FollowAnswer, type Tidings, type Wanted } from './desk.ts';
import { identityOf } from './followed.ts';

const A = { expr: 'a', stepMs: null };
const B = { expr: 'b', stepMs: 5_000 };

function world() {
  const sent: (readonly Wanted[])[] = [];
  const told: { readonly tidings: Tidings; readonly tab: string | undefined }[] = [];
  const later: (() => void)[] = [];
  const state = { nowMs: 0, refuse: undefined as Error | undefined };
  const desk = new Desk({
    send: (queries): Promise<FollowAnswer> => {
      sent.push(queries);
      if (state.refuse !== undefined) return Promise.reject(state.refuse);
      return Promise.resolve({ queries: queries.map(({ key }) => ({ key, query: `q-${key}`, error: null })) });
    },
    tell: (tidings, tab) => void told.push({ tidings, tab }),
    now: () => state.nowMs,
    later: (run) => void later.push(run),
  });
  /** Everything that was put off. */
  const pass = async (): Promise<void> => {
    for (let turns = 0; turns < 5 && later.length > 0; turns++) {
      for (const run of later.splice(0)) run();
      await settle();
    }
  };
  return { desk, sent, told, pass, state };
}

describe('what all tabs of a browser follow', () => {
  it('is followed once, as one set, and nothing is sent for nobody', async () => {
    const { desk, sent, pass } = world();
    desk.opened();
    await pass();
    assert.deepEqual(sent, []);
    desk.wants('one', [A]);
    desk.wants('two', [A, B]);
    await pass();
    assert.deepEqual(sent, [
      [
        { key: 'k1', expr: 'a', step_ms: null },
        { key: 'k2', expr: 'b', step_ms: 5_000 },
      ],
    ]);
    desk.wants('two', []);
    await pass();
    assert.deepEqual(sent.at(-1), [{ key: 'k1', expr: 'a', step_ms: null }]);
  });

  it('reaches every tab as it comes, and a tab that comes later whole', async () => {
    const { desk, told, pass } = world();
    desk.opened();
    desk.wants('one', [A]);
    await pass();
    desk.said([{ key: 'k1', start: true, query: 'q7', at_ms: 1, series: [[0, {}]], order: [0], now: [[0, 1]] }]);
    desk.said([
      { query: 'q7', at_ms: 2, now: [[0, 2]] },
      { query: 'unknown', at_ms: 2 },
    ]);
    assert.deepEqual(
      told.map(({ tidings }) => tidings.map(({ identity, item }) => [identity, item.now?.[0]?.[1]])),
      [[[identityOf(A), 1]], [[identityOf(A), 2]]],
    );
    desk.wants('two', [A]);
    const last = told.at(-1);
    assert.equal(last?.tab, 'two');
    assert.deepEqual([last?.tidings[0]?.item.start, last?.tidings[0]?.item.now], [true, [[0, 2]]]);
    desk.wants('two', [A]);
    assert.equal(told.at(-1), last, 'a tab that says again what it wants is told nothing again');
  });

  it('begins anew with a connection, and forgets tabs that fell silent', async () => {
    const { desk, sent, pass, state } = world();
    desk.opened();
    desk.wants('one', [A]);
    await pass();
    desk.closed();
    desk.opened();
    await pass();
    assert.equal(sent.length, 2);
    state.nowMs = 60_000;
    desk.wants('two', [B]);
    await pass();
    assert.deepEqual(
      sent.at(-1)?.map(({ expr }) => expr),
      ['b'],
    );
  });

  it('tells pages to ask by themselves while the server refuses, and asks it again', async () => {
    const { desk, told, pass, state } = world();
    state.refuse = new Error('no');
    desk.opened();
    desk.wants('one', [A]);
    await pass();
    assert.deepEqual(told[0]?.tidings, [{ identity: identityOf(A), item: { error: 'no', unfit: true } }]);
    state.refuse = undefined;
    await pass();
    desk.said([{ key: 'k1', start: true, query: 'q1', at_ms: 1, order: [] }]);
    assert.equal(told.at(-1)?.tidings[0]?.item.unfit, undefined);
  });
});
