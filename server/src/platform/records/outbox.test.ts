import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { forEachDatabase, type OpenDatabase } from '../../../../test/harness/databases.ts';
import { manualClock } from '../../../../test/harness/manual-clock.ts';
import { recordingLogger } from '../../../../test/harness/logs.ts';
import { poll } from '../../../../test/harness/poll.ts';
import { createIds } from '../ids.ts';
import { createTestSecrets } from '../secrets/testing/secrets.ts';
import type { OutboxHandler } from './contract.ts';
import { backoffMs, createOutbox } from './outbox.ts';
import { claimDue } from './outbox-store.ts';

async function world(t: TestContext, open: OpenDatabase, send: OutboxHandler) {
  const { db, openAgain } = await open(t);
  const clock = manualClock();
  const logger = recordingLogger();
  const options = { db, clock, ids: createIds(clock), logger, handlers: { send }, secrets: createTestSecrets(), random: () => 0.5 };
  const states = async (): Promise<string[]> =>
    (await db.kysely.selectFrom('outbox').select('state').orderBy('id').execute()).map((row) => row.state);
  return { db, openAgain, clock, logger, options, states };
}

forEachDatabase((_name, open) => {
  it('sends each row once and keeps the receipt', async (t) => {
    const sent: string[] = [];
    const w = await world(t, open, async (message) => {
      sent.push(message.payload);
      return { kind: 'done', receipt: `r${sent.length}` };
    });
    await using outbox = createOutbox(w.options);
    for (let i = 0; i < 40; i++) await outbox.enqueue(w.db.kysely, { topic: 'send', key: `k${i}`, payload: i });
    outbox.wake();
    await poll('all rows are done', async () => {
      await w.clock.advance(10);
      return (await w.states()).every((state) => state === 'done');
    });
    assert.deepEqual(
      sent.map(Number).sort((a, b) => a - b),
      Array.from({ length: 40 }, (_, i) => i),
    );
    assert.deepEqual(await outbox.status(), { open: 0, dead: 0, oldestOpenAtMs: null });
  });

  it('writes nothing when the transaction of the change is undone', async (t) => {
    const w = await world(t, open, async () => ({ kind: 'done', receipt: '' }));
    await using outbox = createOutbox(w.options);
    const change = w.db.kysely.transaction().execute(async (trx) => {
      await outbox.enqueue(trx, { topic: 'send', key: 'k', payload: 1 });
      throw new Error('on purpose');
    });
    await assert.rejects(change, /on purpose/);
    assert.deepEqual(await w.states(), []);
  });

  it('waits as long as a receiver asks, an hour at most, and never less than its own backoff', async (t) => {
    for (const [wish, wantMs] of [
      [0, 1_000],
      [7_000, 7_000],
      [1e14, 3_600_000],
    ] as const) {
      let tries = 0;
      const w = await world(t, open, async () => {
        tries++;
        return { kind: 'retry', error: 'busy', afterMs: wish };
      });
      await using outbox = createOutbox(w.options);
      await outbox.enqueue(w.db.kysely, { topic: 'send', key: 'k', payload: 1 });
      outbox.wake();
      await poll('the first try is settled', async () => {
        await w.clock.advance(0);
        return w.logger.lines.some(({ fields }) => fields['delay_ms'] === wantMs);
      });
      assert.equal(tries, 1);
    }
  });

  it('retries with growing delays, keeps the order of a key meanwhile, and lets other keys pass', async (t) => {
    const seen: string[] = [];
    const w = await world(t, open, async (message) => {
      seen.push(message.payload);
      if (message.payload === '"a1"' && message.tries < 3) throw new Error('receiver is down');
      return { kind: 'done', receipt: '' };
    });
    await using outbox = createOutbox(w.options);
    for (const [key, payload] of [
      ['a', 'a1'],
      ['a', 'a2'],
      ['b', 'b1'],
    ] as const)
      await outbox.enqueue(w.db.kysely, { topic: 'send', key, payload });
    outbox.wake();
    await poll('b1 is sent', async () => {
      await w.clock.advance(10);
      return (await w.states()).join() === 'queued,queued,done';
    });
    assert.deepEqual(await w.states(), ['queued', 'queued', 'done']);
    await poll('a2 is sent', async () => {
      await w.clock.advance(100);
      return (await w.states()).join() === 'done,done,done';
    });
    assert.deepEqual(
      seen.filter((payload) => payload.startsWith('"a')),
      ['"a1"', '"a1"', '"a1"', '"a2"'],
    );
    assert.equal(w.logger.lines.filter((line) => line.message === 'an outbox row will be sent again').length, 2);
  });

  it('gives up a row on the handler’s word and goes on with the key', async (t) => {
    const w = await world(t, open, async (message) =>
      message.payload === '1' ? { kind: 'dead', error: 'gone\0for good' } : { kind: 'done', receipt: '250\0' },
    );
    await using outbox = createOutbox(w.options);
    for (const payload of [1, 2]) await outbox.enqueue(w.db.kysely, { topic: 'send', key: 'k', payload });
    outbox.wake();
    await poll('both are settled', async () => {
      await w.clock.advance(100);
      return (await w.states()).join() === 'dead,done';
    });
    assert.equal((await outbox.status()).dead, 1);
  });

  it('sends again what a crashed process left under way, after its lease', async (t) => {
    const sent: number[] = [];
    const w = await world(t, open, async (message) => {
      sent.push(message.tries);
      return { kind: 'done', receipt: '' };
    });
    {
      await using idle = createOutbox({ ...w.options, handlers: {} });
      await idle.enqueue(w.db.kysely, { topic: 'send', key: 'k', payload: 1 });
    }
    const crashed = await claimDue(w.db.kysely, { topics: ['send'], limit: 1, leaseMs: 90_000 }, w.clock.now());
    assert.equal(crashed.length, 1);
    await using _outbox = createOutbox(w.options);
    await w.clock.advance(80_000);
    assert.deepEqual(sent, []);
    await poll('the row is sent', async () => {
      await w.clock.advance(1_000);
      return sent.length > 0;
    });
    assert.deepEqual(sent, [2]);
  });

  it('sends at once what a crashed process left under way, when nobody else can be sending it', async (t) => {
    const sent: (readonly [tries: number, cutOff: boolean])[] = [];
    const w = await world(t, open, async (message) => {
      sent.push([message.tries, message.cutOff]);
      return { kind: 'done', receipt: '' };
    });
    {
      await using idle = createOutbox({ ...w.options, handlers: {} });
      await idle.enqueue(w.db.kysely, { topic: 'send', key: 'k', payload: 1 });
    }
    await claimDue(w.db.kysely, { topics: ['send'], limit: 1, leaseMs: 90_000 }, w.clock.now());
    await using _outbox = createOutbox({ ...w.options, alone: true });
    await poll('the row is sent', async () => {
      await w.clock.advance(10);
      return sent.length > 0;
    });
    assert.deepEqual(sent, [[2, true]]);
  });

  it('puts an attempt back when the process stops, and tells it to end', async (t) => {
    let started = false;
    const w = await world(t, open, (_message, { signal }) => {
      started = true;
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    });
    const outbox = createOutbox(w.options);
    await outbox.enqueue(w.db.kysely, { topic: 'send', key: 'k', payload: 1 });
    outbox.wake();
    await poll('the attempt runs', async () => {
      await w.clock.advance(10);
      return started;
    });
    await outbox[Symbol.asyncDispose]();
    assert.deepEqual(await w.states(), ['queued']);
  });

  it('never sends a row twice when two processes share the database', async (t) => {
    const sent: string[] = [];
    const w = await world(t, open, async (message) => {
      sent.push(message.payload);
      return { kind: 'done', receipt: '' };
    });
    const other = await w.openAgain();
    await using first = createOutbox(w.options);
    await using second = createOutbox({ ...w.options, db: other });
    for (let i = 0; i < 60; i++) await first.enqueue(w.db.kysely, { topic: 'send', key: `k${i % 7}`, payload: i });
    await poll('all rows are done', async () => {
      first.wake();
      second.wake();
      await w.clock.advance(100);
      return (await w.states()).every((state) => state === 'done');
    });
    assert.equal(sent.length, 60);
    for (let key = 0; key < 7; key++) {
      const ofKey = sent.map(Number).filter((payload) => payload % 7 === key);
      assert.deepEqual(
        ofKey,
        [...ofKey].sort((a, b) => a - b),
      );
    }
  });
});

describe('backoff', () => {
  it('doubles from one second to five minutes, spread by a fifth', () => {
    assert.deepEqual(
      [1, 2, 3, 9, 10, 99].map((tries) => backoffMs(tries, 0.5)),
      [1000, 2000, 4000, 256_000, 300_000, 300_000],
    );
    assert.deepEqual([backoffMs(1, 0), backoffMs(1, 0.999_999)], [800, 1200]);
  });
});
