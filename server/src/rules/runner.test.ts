import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mustMatcher } from '@nines/base/matcher.ts';
import { epochMs } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { manualClock, settle } from '../../../test/harness/manual-clock.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { Runner, type Trigger, type Unit } from './runner.ts';

/** A unit that reads `up` and whose evaluations end when the test says so. */
class TestUnit implements Unit {
  readonly id = 'unit';
  readonly selectors = [[mustMatcher('__name__', '=', 'up')]];
  readonly triggers: Trigger[] = [];
  everyMs: number | undefined;
  running = 0;
  most = 0;
  #end: (() => void)[] = [];
  fail = false;

  nextAtMs(afterMs: number) {
    return this.everyMs === undefined ? null : epochMs(Math.floor(afterMs / this.everyMs) * this.everyMs + this.everyMs);
  }

  async evaluate(trigger: Trigger): Promise<void> {
    this.triggers.push(trigger);
    this.most = Math.max(this.most, ++this.running);
    if (this.fail) this.running--;
    if (this.fail) throw new Error('on purpose');
    await new Promise<void>((resolve) => this.#end.push(resolve));
    this.running--;
  }

  /** Ends what runs. */
  async end(): Promise<void> {
    for (const end of this.#end.splice(0)) end();
    await settle();
  }
}

function open(processorMs?: () => number, everyMs?: number) {
  const clock = manualClock(1_760_000_000_000);
  const unit = new TestUnit();
  unit.everyMs = everyMs;
  const labelsOfRef = () => labelsOf({ __name__: 'up' });
  const runner = new Runner({ clock, logger: silentLogger, labelsOfRef, ...(processorMs && { processorMs }) });
  void runner.replace([unit]);
  const wake = (times = 1) => {
    for (let i = 0; i < times; i++) runner.wake(Uint32Array.of(1));
  };
  return { clock, unit, runner, wake };
}

describe('the runner', () => {
  it('evaluates once for many requests of one turn', async () => {
    const { clock, unit, wake } = open();
    wake(100);
    await clock.advance(0);
    assert.equal(unit.triggers.length, 1);
    await unit.end();
  });

  it('never runs a unit twice at once, and once more for all that came meanwhile', async () => {
    const { clock, unit, wake } = open();
    wake();
    await clock.advance(0);
    wake(50);
    await clock.advance(0);
    assert.equal(unit.triggers.length, 1);
    await unit.end();
    await clock.advance(0);
    assert.equal(unit.triggers.length, 2);
    await unit.end();
    await clock.advance(60_000);
    assert.deepEqual([unit.triggers.length, unit.most], [2, 1]);
  });

  it('lets a costly unit rest nine times as long as it ran', async () => {
    const { clock, unit, wake } = open();
    wake();
    await clock.advance(0);
    await clock.advance(1_000);
    await unit.end();
    wake();
    await clock.advance(8_900);
    assert.equal(unit.triggers.length, 1);
    await clock.advance(200);
    assert.equal(unit.triggers.length, 2);
    await unit.end();
  });

  it('looks at a sample that came while a timer was due, after what the timer wants', async () => {
    const { clock, unit, wake } = open(undefined, 10_000);
    wake();
    await clock.advance(10_500);
    wake();
    await unit.end();
    await unit.end();
    await clock.advance(2_000);
    assert.deepEqual(
      unit.triggers.map(({ kind }) => kind),
      ['woken', 'timer', 'woken'],
    );
    await unit.end();
  });

  it('counts no wait for the disk as cost: a unit that worked little rests little', async () => {
    let workedMs = 0;
    const { clock, unit, wake } = open(() => workedMs);
    wake();
    await clock.advance(0);
    workedMs += 10;
    await clock.advance(1_000);
    await unit.end();
    wake();
    await clock.advance(80);
    assert.equal(unit.triggers.length, 1);
    await clock.advance(20);
    assert.equal(unit.triggers.length, 2);
    await unit.end();
  });

  it('lets units rest for each other, but for no longer than a second', async () => {
    const { clock, unit, runner, wake } = open();
    const quick = new TestUnit();
    await runner.replace([unit, quick]);
    wake();
    await clock.advance(0);
    await clock.advance(1_000);
    await unit.end();
    await quick.end();
    quick.triggers.length = 0;
    wake();
    await clock.advance(0);
    assert.equal(quick.triggers.length, 0);
    await clock.advance(9_100);
    await quick.end();
    await unit.end();
    quick.triggers.length = 0;
    wake();
    await clock.advance(1_100);
    assert.equal(quick.triggers.length, 1);
    await quick.end();
    await unit.end();
  });

  it('runs on timers too, and does not queue those that fell due meanwhile', async () => {
    const { clock, unit } = open(undefined, 10_000);
    await clock.advance(10_000);
    assert.deepEqual(
      unit.triggers.map(({ kind }) => kind),
      ['timer'],
    );
    await clock.advance(50_000);
    await unit.end();
    await clock.advance(10_000);
    assert.equal(unit.triggers.length, 2);
    await unit.end();
  });

  it('tries again after a failure without a sample, ever more slowly', async () => {
    const { clock, unit, wake } = open();
    unit.fail = true;
    wake();
    await clock.advance(7_500);
    assert.equal(unit.triggers.length, 4);
    await clock.advance(600_000);
    assert.ok(unit.triggers.length < 20, `${unit.triggers.length} evaluations`);
  });

  it('keeps what waits and runs of a unit that stays, and says when that of one that goes has ended', async () => {
    const { clock, unit, runner, wake } = open();
    const other = new TestUnit();
    wake();
    await runner.replace([unit, other]);
    await clock.advance(0);
    assert.deepEqual([unit.triggers.length, other.triggers.length], [1, 0], 'the sample that came before is not lost');
    let ended = false;
    const replaced = runner.replace([other]).then(() => (ended = true));
    await settle();
    assert.equal(ended, false, 'it still evaluates');
    await unit.end();
    await replaced;
    runner.start(new Set([other]));
    await clock.advance(0);
    assert.deepEqual(
      other.triggers.map(({ kind }) => kind),
      ['start'],
    );
    await other.end();
  });

  it('starts nothing more when it is ended', async () => {
    const { clock, unit, runner, wake } = open(undefined, 10_000);
    await runner[Symbol.asyncDispose]();
    wake();
    await clock.advance(60_000);
    assert.equal(unit.triggers.length, 0);
    assert.equal(clock.pending(), 0);
  });
});
