import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import { specOf } from '../../../../test/harness/checks.ts';
import type { CheckResult } from '../../checks/contract.ts';
import { resultFromWire, wireOf, wireResult } from '../contract.ts';
import { ResultBuffer } from './buffer.ts';
import { judgeUnder, refusalUnder } from './policy.ts';
import { ServerTime } from './server-time.ts';

const START_MS = 1_760_000_000_000;
const result = (second: number): CheckResult => ({
  check: 'c',
  service: '',
  checkKind: 'tcp',
  target: '',
  startedAtMs: epochMs(START_MS + second * 1000),
  durationMs: 1.5,
  outcome: { kind: 'down', code: 'timeout', detail: 'x'.repeat(100) },
  phases: { connect: 1 },
  loopDelayMs: 0,
});
function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'nines-buffer-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
const numbers = (buffer: ResultBuffer, limit = 1_000): readonly number[] => buffer.batch(limit).map(({ seq }) => seq);

test('results are handed out in order until they are confirmed, also after a kill in the middle of a line', (t) => {
  const dir = folder(t);
  const first = new ResultBuffer(dir, 1e6);
  for (let i = 1; i <= 5; i++) first.append(result(i));
  assert.deepEqual(numbers(first, 2), [1, 2]);
  first.taken(2);
  assert.equal(first.waiting, 3);
  // Killed: nothing was closed, and the last line is not whole.
  const file = join(dir, readdirSync(dir).find((name) => name.endsWith('.jsonl')) ?? '');
  appendFileSync(file, '{"seq":6,"check":"c"');
  const second = new ResultBuffer(dir, 1e6);
  assert.deepEqual(numbers(second), [3, 4, 5]);
  second.append(result(6));
  assert.deepEqual(numbers(second), [3, 4, 5, 6]);
  second.taken(6);
  assert.equal(second.waiting, 0);
  second.append(result(7));
  assert.deepEqual(numbers(second), [7]);
  second.taken(7);
  second.close();
  assert.deepEqual(numbers(new ResultBuffer(dir, 1e6)), []);
});

test('numbers never repeat: an empty buffer goes on where it was, one that was put back from a copy goes on where the server is', (t) => {
  const dir = folder(t);
  const buffer = new ResultBuffer(dir, 1e6);
  buffer.append(result(1));
  buffer.taken(1);
  buffer.close();
  const again = new ResultBuffer(dir, 1e6);
  again.taken(40);
  again.append(result(2));
  assert.deepEqual(numbers(again), [41]);
});

test('a full buffer drops the oldest results and says which, and a damaged line costs that line alone', (t) => {
  const dir = folder(t);
  const buffer = new ResultBuffer(dir, 4_000);
  for (let i = 1; i <= 60; i++) buffer.append(result(i));
  const { lost } = buffer;
  const left = numbers(buffer);
  assert.ok(lost !== null && lost.count > 0);
  assert.equal(lost.count + left.length, 60);
  assert.equal(buffer.waiting, left.length);
  assert.deepEqual([lost.from_at_ms, lost.to_at_ms], [START_MS + 1000, START_MS + lost.count * 1000]);
  assert.equal(left[0], lost.count + 1);
  assert.ok(readdirSync(dir).reduce((sum, name) => sum + readFileSync(join(dir, name)).length, 0) < 6_000);
  buffer.close();
  const file = join(dir, readdirSync(dir).find((name) => name.endsWith('.jsonl')) ?? '');
  const lines = readFileSync(file, 'utf8').split('\n');
  writeFileSync(file, lines.with(0, 'damaged').join('\n'));
  const again = new ResultBuffer(dir, 4_000);
  assert.deepEqual(numbers(again), left.slice(1));
  assert.deepEqual(again.lost, lost);
});

test('whatever is appended, confirmed and killed, the buffer holds exactly what was not confirmed', (t) => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('append' as const), count: fc.integer({ min: 1, max: 30 }) }),
    fc.record({ do: fc.constant('taken' as const), count: fc.integer({ min: 0, max: 40 }) }),
    fc.record({ do: fc.constant('kill' as const), count: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const dir = folder(t);
      let buffer = new ResultBuffer(dir, 1e9);
      let [made, taken] = [0, 0];
      for (const { do: what, count } of steps) {
        if (what === 'append') for (let i = 0; i < count; i++) buffer.append(result(++made));
        else if (what === 'taken') buffer.taken((taken = Math.min(made, taken + count)));
        else buffer = new ResultBuffer(dir, 1e9);
        assert.equal(buffer.waiting, made - taken);
      }
      assert.deepEqual(
        numbers(buffer, 1e6),
        Array.from({ length: made - taken }, (_, i) => taken + i + 1),
      );
      rmSync(dir, { recursive: true });
    }),
    { numRuns: 20 },
  );
});

test('the server’s time is right within its own bounds, whatever the way there takes and however the clocks differ', () => {
  const exchange = fc.record({
    waitMs: fc.integer({ min: 1, max: 60_000 }),
    thereMs: fc.double({ min: 0, max: 400, noNaN: true }),
    backMs: fc.double({ min: 0, max: 400, noNaN: true }),
    workMs: fc.integer({ min: 0, max: 50 }),
  });
  fc.assert(
    fc.property(fc.array(exchange, { minLength: 1, maxLength: 20 }), fc.integer({ min: -1e7, max: 1e7 }), (exchanges, skewMs) => {
      let monotonicMs = 5_000;
      // The truth: the server's wall clock.
      const serverMs = (): number => START_MS + monotonicMs;
      const clock = { now: () => serverMs() + skewMs, monotonic: () => monotonicMs };
      const time = new ServerTime(clock);
      for (const { waitMs, thereMs, backMs, workMs } of exchanges) {
        monotonicMs += waitMs;
        const sentMs = monotonicMs;
        monotonicMs += thereMs;
        const receivedAtMs = Math.floor(serverMs());
        monotonicMs += workMs;
        const answeredAtMs = Math.floor(serverMs());
        monotonicMs += backMs;
        time.observe({ sentMs, heardMs: monotonicMs, receivedAtMs, answeredAtMs });
        assert.ok(Math.abs(time.now() - serverMs()) <= time.uncertaintyMs() + 1, `${time.now() - serverMs()} of ${time.uncertaintyMs()}`);
        assert.ok(Math.abs((time.skewMs() ?? Number.NaN) - skewMs) <= time.uncertaintyMs());
      }
    }),
  );
});

test('before the server was ever asked the last known skew counts; a step of the server’s clock is followed at once', () => {
  let monotonicMs = 0;
  let serverMs = START_MS;
  const clock = { now: () => START_MS + monotonicMs, monotonic: () => monotonicMs };
  const time = new ServerTime(clock, { skewMs: 250, uncertaintyMs: 20 });
  assert.deepEqual([time.now(), time.uncertaintyMs(), time.skewMs()], [START_MS - 250, 1_000, undefined]);
  const ask = (): void =>
    time.observe({ sentMs: monotonicMs, heardMs: (monotonicMs += 10), receivedAtMs: serverMs + 5, answeredAtMs: serverMs + 5 });
  ask();
  assert.equal(time.now(), START_MS + 10);
  serverMs = START_MS + 3_600_000;
  ask();
  assert.equal(time.now(), serverMs + 10);
});

test('results come out of the wire as they went in', () => {
  const full: CheckResult = {
    ...result(1),
    check: 'c',
    location: 'berlin',
    uncertaintyMs: 3,
    statusCode: 200,
    redirects: 1,
    tls: true,
    figures: [{ name: 'probe_f', value: 1, labels: { a: 'b' } }],
    address: '192.0.2.7:443',
    headers: [{ name: 'server', value: 'nginx' }],
    excerpt: 'text',
  };
  const parsed = wireResult.parse(JSON.parse(JSON.stringify(wireOf(full, 7))));
  assert.deepEqual(resultFromWire(parsed, { service: '', checkKind: 'tcp', target: '', location: 'berlin' }), full);
  const { address: _address, headers: _headers, ...ofAnOlderAgent } = parsed;
  assert.ok(wireResult.safeParse(ofAnOlderAgent).success);
  const tooMuch = { ...parsed, headers: Array.from({ length: 41 }, () => ({ name: 'x', value: '' })) };
  assert.ok(!wireResult.safeParse(tooMuch).success);
});

test('an agent asks only what its own machine allows, on top of what holds for everyone', () => {
  const { judge, tell } = judgeUnder({ only: ['10.0.0.0/8', '2001:db8::/32'], never: ['10.1.0.0/16', '10.2.3.4'] });
  const f = (address: string, want: boolean, trust: 'trusted' | 'untrusted' = 'trusted'): void =>
    assert.equal(judge(address, trust).allowed, want, address);
  f('10.9.9.9', true);
  f('10.9.9.9', false, 'untrusted');
  f('10.1.2.3', false);
  f('10.2.3.4', false);
  f('192.0.2.1', false);
  f('2001:db8::1', true);
  f('169.254.169.254', false);
  // In IPv6 clothes it is still the address that this agent never asks.
  f('::ffff:10.1.2.3', false);
  f('64:ff9b::10.1.2.3', false);
  tell({ allow: ['10.0.0.0/8'], deny: ['10.9.0.0/16'] });
  f('10.8.8.8', true, 'untrusted');
  f('10.1.2.3', false, 'untrusted');
  f('10.9.9.9', false);
  assert.ok(judgeUnder({ only: [], never: [] }).judge('192.0.2.1', 'trusted').allowed);
  assert.throws(() => judgeUnder({ only: ['10.0.0.0/33'], never: [] }), { code: 'bad_subnet' });
  assert.throws(() => judgeUnder({ only: [], never: ['example.org'] }), /"example.org" is no subnet/);
  const file = specOf({ kind: 'filesystem', path: '/' } as never);
  assert.match(refusalUnder({ local: false }, file) ?? '', /look into this machine/);
  assert.equal(refusalUnder({ local: true }, file), undefined);
});
