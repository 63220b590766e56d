import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { closedPort, listen, said } from '../../../test/harness/checks.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { realClock } from '../platform/clock.ts';
import type { CheckResult, Outcome } from './contract.ts';
import { down, UP } from './evaluate.ts';
import { judgeAddress } from '../platform/fetch/judge.ts';
import { IsolationGuard, reachOver } from './isolation.ts';
import { createResolve } from './resolve.ts';

const TIMEOUT = down('timeout', 'no answer');

function scene(references: readonly string[] = ['192.0.2.1:53']) {
  const clock = manualClock();
  const state = { reachable: true, asked: 0 };
  const reaches = async (): Promise<boolean> => {
    state.asked++;
    return state.reachable;
  };
  const guard = new IsolationGuard({ clock, references, reaches });
  /** An attempt that took `lengthMs` and ended now. */
  const ended = async (host: string | undefined, outcome: Outcome, lengthMs = 5_000): Promise<string> => {
    const result: CheckResult = {
      check: 'c',
      service: 's',
      checkKind: 'tcp',
      target: host ?? '',
      startedAtMs: clock.now(),
      durationMs: lengthMs,
      outcome,
      phases: {},
      loopDelayMs: 0,
    };
    return said(await guard.judge(result, host)).split(':', 1)[0] ?? '';
  };
  return { clock, state, ended };
}

test('when our network is cut every target is unknown, from the first one on, and known again when it is back', async () => {
  const { clock, state, ended } = scene();
  assert.equal(await ended('a.example', UP), 'up');
  await clock.advance(60_000);
  state.reachable = false;
  for (const host of ['a.example', 'b.example', 'c.example']) assert.equal(await ended(host, TIMEOUT), 'void probe_isolated');
  assert.equal(await ended('d.example', down('name_server', 'name server did not answer')), 'void probe_isolated');
  assert.equal(state.asked, 1, 'the references are asked once for all of them');
  await clock.advance(60_000);
  state.reachable = true;
  assert.equal(await ended('a.example', UP), 'up');
  assert.equal(await ended('b.example', TIMEOUT), 'down timeout');
});

test('one service that is down is down while a reference answers', async () => {
  const { ended } = scene();
  assert.equal(await ended('a.example', TIMEOUT), 'down timeout');
});

test('a reference that is down itself hides no outage while any other host answers', async () => {
  const { clock, state, ended } = scene();
  state.reachable = false;
  await clock.advance(10_000);
  assert.equal(await ended('b.example', down('status', 'status 503')), 'down status');
  await clock.advance(3_000);
  assert.equal(await ended('a.example', TIMEOUT, 5_000), 'down timeout', 'b answered within the five seconds');
  assert.equal(await ended('b.example', TIMEOUT, 5_000), 'void probe_isolated', 'b itself does not count for b');
  await clock.advance(10_000);
  assert.equal(await ended('a.example', TIMEOUT, 5_000), 'void probe_isolated', 'b answered too long ago');
});

test('what somebody answered, and what stays on this machine, is never void', async () => {
  const { state, ended } = scene();
  state.reachable = false;
  assert.equal(await ended('a.example', down('connection_refused', 'refused')), 'down connection_refused');
  for (const host of ['127.0.0.1', 'localhost', '::1', undefined]) assert.equal(await ended(host, UP), 'up');
  for (const host of ['127.0.0.1', 'localhost', '::1', undefined]) assert.equal(await ended(host, TIMEOUT), 'down timeout');
  assert.equal(await ended('c.example', TIMEOUT, 0.5), 'down timeout', 'a answered just now');
});

test('without references the guard never acts', async () => {
  const { state, ended } = scene([]);
  state.reachable = false;
  assert.equal(await ended('a.example', TIMEOUT), 'down timeout');
  assert.equal(state.asked, 0);
});

test('a reference that accepts or refuses is reached', async (t) => {
  const reaches = reachOver({ clock: realClock, resolve: createResolve(), judge: judgeAddress });
  assert.equal(await reaches(`127.0.0.1:${await listen(t, createServer())}`), true);
  assert.equal(await reaches(`127.0.0.1:${await closedPort()}`), true);
  assert.equal(await reaches('no-such-host.invalid:1'), false);
});
