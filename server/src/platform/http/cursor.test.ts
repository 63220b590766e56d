import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@nines/base/errors.ts';
import { pageOf, parseCursor } from './cursor.ts';

const cursorOf = (id: string) => ({ atMs: 7, id });

test('a page ends with the cursor that the next one begins after', () => {
  const page = pageOf(['c', 'b', 'a'], 2, cursorOf);
  assert.deepEqual(page, { items: ['c', 'b'], next: '7~b' });
  assert.deepEqual(parseCursor(page.next ?? ''), { atMs: 7, id: 'b' });
  assert.deepEqual(pageOf(['a'], 2, cursorOf), { items: ['a'], next: null });
  assert.deepEqual(pageOf([], 2, cursorOf), { items: [], next: null });
});

test('what no list gave is refused', () => {
  assert.equal(parseCursor(undefined), undefined);
  for (const text of ['', 'x', '7', '7~', '~b', '-1~b', '1.5~b'])
    assert.throws(
      () => parseCursor(text),
      (thrown) => thrown instanceof AppError && thrown.code === 'bad_cursor',
      text,
    );
});
