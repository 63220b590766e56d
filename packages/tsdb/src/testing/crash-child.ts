/**
 * Writes to the store of a directory as fast as it can until it is killed, and prints what was acknowledged:
 * `<first counter> <last counter>` for the samples of counter series `c` and `d`, whose value is their time.
 */
import { epochMs } from '@nines/base/units.ts';
import { openStore } from '../store.ts';
import { T0, append, bitsOfNumber, collectingLogger, testCipher } from './samples.ts';

const [dir = '', from = '0'] = process.argv.slice(2);
const store = await openStore({ dir, retentionMs: 1e12, logger: collectingLogger(), cipher: testCipher() });
let next = Number(from);
for (;;) {
  const groups = Array.from({ length: 3 }, () => {
    const first = next;
    next += 5;
    const samples = Array.from({ length: 5 }, (_, i) => first + i).flatMap((i) =>
      ['c', 'd'].map((name) => ({ series: { __name__: name }, atMs: T0 + i * 20_000, bits: bitsOfNumber(i) })),
    );
    return append(store, samples, epochMs(T0 + next * 20_000)).then(() => process.stdout.write(`${first} ${first + 4}\n`));
  });
  await Promise.all(groups);
  if (next % 150 === 0) await store.flush(epochMs(T0 + next * 20_000));
}
