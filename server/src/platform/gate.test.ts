import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gate } from './gate.ts';

const never = new AbortController().signal;

test('at most so many run at a time, the others follow in order', async () => {
  const gate = new Gate(2, 10);
  const order: string[] = [];
  const [first, second] = [await gate.enter(never), await gate.enter(never)];
  const third = gate.enter(never).then((place) => {
    order.push('third');
    return place;
  });
  const fourth = gate.enter(never).then((place) => {
    order.push('fourth');
    return place;
  });
  await Promise.resolve();
  assert.deepEqual(order, []);
  first?.[Symbol.dispose]();
  (await third)?.[Symbol.dispose]();
  await fourth;
  assert.deepEqual(order, ['third', 'fourth']);
  second?.[Symbol.dispose]();
});

test('a place that is given up goes to the next in line, not to a newcomer', async () => {
  const gate = new Gate(1, 10);
  const first = await gate.enter(never);
  let waited = false;
  const next = gate.enter(never).then((place) => {
    waited = true;
    return place;
  });
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  const newcomer = gate.enter(never);
  (await next)?.[Symbol.dispose]();
  assert.equal(waited, true);
  assert.ok(await newcomer);
});

test('who stops waiting leaves the line, and who finds it full is turned away', async () => {
  const gate = new Gate(1, 1);
  const first = await gate.enter(never);
  const gone = new AbortController();
  const waiting = gate.enter(gone.signal);
  assert.equal(await gate.enter(never), undefined);
  gone.abort(new Error('gone'));
  await assert.rejects(waiting, /gone/);
  first?.[Symbol.dispose]();
  assert.ok(await gate.enter(never));
});
