import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { createBus } from './bus.ts';
import { realClock } from './clock.ts';
import { makeDirectory } from './directory.ts';
import { createIds } from './ids.ts';
import { createLogger } from './log.ts';

describe('the clock', () => {
  it('sleeps, and wakes at once with the reason when the signal aborts', async () => {
    await realClock.sleep(1);
    const reason = new Error('enough');
    await assert.rejects(realClock.sleep(60_000, { signal: AbortSignal.abort(reason) }), reason);
    const stop = new AbortController();
    const slept = realClock.sleep(60_000, { signal: stop.signal });
    stop.abort(reason);
    await assert.rejects(slept, reason);
  });

  it('takes delays longer than the timers of the platform and lets them be cancelled', async () => {
    let ran = false;
    const timer = realClock.after(2 ** 40, () => (ran = true));
    await realClock.sleep(5);
    timer[Symbol.dispose]();
    assert.equal(ran, false);
  });

  it('of tests runs what falls due in order, also what was armed on the way', async () => {
    const clock = manualClock(1_000);
    const seen: string[] = [];
    const note = (name: string) => (): void => void seen.push(`${name}@${clock.now()}`);
    clock.after(30, note('c'));
    clock.after(10, () => {
      note('a')();
      clock.after(10, note('b'));
    });
    clock.after(20, note('cancelled'))[Symbol.dispose]();
    await clock.advance(29);
    assert.deepEqual([seen, clock.pending()], [['a@1010', 'b@1020'], 1]);
    clock.jump(-500);
    await clock.advance(1);
    assert.deepEqual([seen.at(-1), clock.monotonic()], ['c@530', 30]);
  });
});

describe('ids', () => {
  it('are version 7 UUIDs that rise, within a millisecond and across a step back of the clock', () => {
    const clock = manualClock(0x0199_0000_0000);
    const ids = createIds(clock);
    const made = Array.from({ length: 10_000 }, (_, i) => {
      if (i === 5_000) clock.jump(-60_000);
      return ids.uuid();
    });
    for (const id of made) assert.match(id, /^01990000-0000-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.deepEqual(made, [...made].sort());
    assert.equal(new Set(made).size, made.length);
  });

  it('make secrets of the asked number of random bytes', () => {
    const ids = createIds(realClock);
    assert.equal(Buffer.from(ids.secret(32), 'base64url').length, 32);
    assert.notEqual(ids.secret(32), ids.secret(32));
  });
});

describe('the log', () => {
  const record = (format: 'json' | 'text') => {
    const lines: string[] = [];
    return { lines, logger: createLogger({ level: 'info', format, to: { write: (line) => void lines.push(line) } }) };
  };

  it('writes one JSON object per line, errors with their stack, secrets redacted', () => {
    const { lines, logger } = record('json');
    logger
      .child({ part: 'notify' })
      .warn('a delivery failed', { error: new Error('no route'), token: 'nines_x', options: { password: 'p' } });
    logger.debug('not shown');
    const { time, error, ...rest } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    assert.deepEqual(rest, {
      level: 'warn',
      part: 'notify',
      token: '[redacted]',
      options: { password: '[redacted]' },
      message: 'a delivery failed',
    });
    assert.match(String(time), /^\d{4}-\d\d-\d\dT/);
    assert.match(String(error), /^Error: no route\n {4}at /);
    assert.equal(lines.length, 1);
  });

  it('writes plain text for a terminal and changes its level at run time', () => {
    const { lines, logger } = record('text');
    logger.setLevel('debug');
    logger.debug('sample stored', { series: 3, name: 'up' });
    assert.match(lines[0] ?? '', /^\d\d:\d\d:\d\d\.\d{3} debug sample stored {2}series=3 {2}name=up\n$/);
  });
});

describe('the log for a terminal', () => {
  it('lets nothing that others sent move the cursor or pass for a line of its own', () => {
    const lines: string[] = [];
    const logger = createLogger({ level: 'info', format: 'text', to: { write: (line) => void lines.push(line) } });
    logger.warn('attempt failed', { error: 'HTTP 500: \u001b[2J\r\n12:00:00.000 info  all is well\u009b1A' });
    assert.match(lines.join(''), /error=HTTP 500: \\x1b\[2J\\x0d\n {2}12:00:00\.000 info {2}all is well\\x9b1A\n$/);
  });
});

describe('the bus', () => {
  it('harms nobody when a listener throws', () => {
    const thrown: unknown[] = [];
    const bus = createBus((error) => thrown.push(error));
    const seen: string[] = [];
    bus.subscribe(() => assert.fail('on purpose'));
    const subscription = bus.subscribe((fact) => seen.push(fact.type));
    bus.publish({ topic: 'alerts', type: 'alert.fired', atMs: 1, data: {} });
    subscription[Symbol.dispose]();
    bus.publish({ topic: 'alerts', type: 'alert.resolved', atMs: 2, data: {} });
    assert.deepEqual([seen, thrown.length], [['alert.fired'], 2]);
  });
});

describe('directories', () => {
  it('are made with their parents, and refused with the system’s error', (t) => {
    const root = mkdtempSync(join(tmpdir(), 'nines-directory-'));
    t.after(() => rmSync(root, { recursive: true }));
    makeDirectory(join(root, 'a/b/c'));
    makeDirectory(join(root, 'a/b/c'));
    assert.ok(existsSync(join(root, 'a/b/c')));
    writeFileSync(join(root, 'file'), '');
    assert.throws(() => makeDirectory(join(root, 'file')), /cannot use the directory .*EEXIST/);
    assert.throws(() => makeDirectory(join(root, 'file', 'x')), /ENOTDIR/);
    assert.throws(() => makeDirectory('/proc/nowhere/x'), /ENOENT/);
  });
});
