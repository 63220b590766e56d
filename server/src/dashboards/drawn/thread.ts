import { parentPort } from 'node:worker_threads';
import { messageOf } from '@nines/base/errors.ts';
import { type PackedPaper, unpacked } from './pack.ts';
import { paperOf } from './paper.ts';

/** The program of a thread that sets dashboards on paper: the figures of one in, its PDF out. */
parentPort?.on('message', ({ job }: { readonly job: PackedPaper }) => {
  try {
    const result = paperOf(unpacked(job));
    parentPort?.postMessage({ result });
  } catch (thrown) {
    parentPort?.postMessage({ error: messageOf(thrown) });
  }
});
