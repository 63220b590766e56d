import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Slots } from './slots.ts';
import { expectedAt } from './trend.ts';

const close = (found: number, expected: number, share: number): void =>
  assert.ok(Math.abs(found - expected) <= share * Math.abs(expected), `${found} is not ${expected}`);

test('a line is continued without doubt, and noise around it gives the doubt of least squares', () => {
  const at = (seconds: number): number => 1_700_000_000_000 + seconds * 1000;
  const straight = Array.from({ length: 60 }, (_, i) => ({ atMs: at(i), value: 5 + 2 * i }));
  const found = expectedAt(straight, at(100), 0.95);
  close(found?.value ?? 0, 205, 1e-9);
  assert.ok((found?.doubt ?? 1) < 1e-6);
  // Residuals 1, -1, 1 …: nothing of one follows from the one before.
  const noisy = straight.map(({ atMs, value }, i) => ({ atMs, value: value + (i % 2 === 0 ? 1 : -1) }));
  const deviation = Math.sqrt(60 / 58);
  const widening = Math.sqrt(1 + 1 / 60 + (100 - 29.5) ** 2 / ((60 * (60 * 60 - 1)) / 12));
  close(expectedAt(noisy, at(100), 0.95)?.doubt ?? 0, 2.0017 * deviation * widening, 0.01);
});

test('a curve is no line: its doubt is wide', () => {
  const curve = Array.from({ length: 60 }, (_, i) => ({ atMs: i * 1000, value: Math.sin((i / 60) * Math.PI) }));
  assert.ok((expectedAt(curve, 70_000, 0.95)?.doubt ?? 99) > 1);
});

test('too few points say nothing', () => {
  assert.equal(expectedAt([{ atMs: 0, value: 1 }], 10, 0.95), undefined);
  assert.equal(
    expectedAt(
      Array.from({ length: 9 }, () => ({ atMs: 5, value: 1 })),
      10,
      0.95,
    ),
    undefined,
  );
});

test('slots hold the newest value of each, as many as they may, however time jumps', () => {
  const step = fc.record({ ahead: fc.integer({ min: -30, max: 60 }), value: fc.double({ noNaN: true }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const slots = new Slots(10, 8);
      const newest = new Map<number, { atMs: number; value: number }>();
      let [atMs, top] = [1_000, Number.NEGATIVE_INFINITY];
      for (const { ahead, value } of steps) {
        atMs += ahead;
        const slot = Math.floor(atMs / 10);
        if (slot <= top - 8) continue;
        slots.add(atMs, value);
        top = Math.max(top, slot);
        if ((newest.get(slot)?.atMs ?? atMs) <= atMs) newest.set(slot, { atMs, value });
      }
      const kept = [...newest].filter(([slot]) => slot > top - 8).sort(([a], [b]) => a - b);
      assert.deepEqual(
        slots.points(),
        kept.map(([, point]) => point),
      );
    }),
  );
});
