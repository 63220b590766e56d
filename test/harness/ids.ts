import type { Ids } from '@nines/base/ids.ts';

/** Ids that count, so that a test can name them: `00000000-0000-7000-8000-000000000001`. */
export function countingIds(): Ids {
  let count = 0;
  return {
    uuid: () => `00000000-0000-7000-8000-${String(++count).padStart(12, '0')}`,
    secret: (bytes) => `secret${++count}`.padEnd(Math.ceil((bytes * 4) / 3), 'x'),
  };
}
