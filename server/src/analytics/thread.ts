import { parentPort } from 'node:worker_threads';
import { messageOf } from '@nines/base/errors.ts';
import type { Answer } from '@nines/maths/stats/refusal.ts';
import { QUESTIONS, type QuestionName } from './evaluate.ts';

/** The program of a thread that calculates: one job in, one answer out. */
export type Job = { readonly question: QuestionName; readonly body: unknown };

parentPort?.on('message', ({ job }: { readonly job: Job }) => {
  try {
    const answer = QUESTIONS[job.question] as (body: unknown) => Answer<unknown>;
    parentPort?.postMessage({ result: answer(job.body) });
  } catch (thrown) {
    parentPort?.postMessage({ error: messageOf(thrown) });
  }
});
