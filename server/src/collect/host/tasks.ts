import { type HostSample, numberOf, sample, wordsOf } from './sample.ts';

/** State and threads of one `/proc/<pid>/stat`. The program's name stands in brackets and may hold anything. */
export function parseTask(text: string): { readonly state: string; readonly threads: number } | undefined {
  const fields = wordsOf(text.slice(text.lastIndexOf(')') + 1));
  const [state] = fields;
  const threads = numberOf(fields[17]);
  return state === undefined || state === '' || threads === undefined ? undefined : { state, threads };
}

/** Counts by state (the kernel's letters), and threads. */
export function taskSamples(tasks: readonly { readonly state: string; readonly threads: number }[]): readonly HostSample[] {
  const states = new Map<string, number>();
  for (const { state } of tasks) states.set(state, (states.get(state) ?? 0) + 1);
  return [
    sample(
      'node_processes_threads',
      tasks.reduce((sum, { threads }) => sum + threads, 0),
    ),
    ...[...states].map(([state, count]) => sample('node_processes_state', count, 'state', state)),
  ];
}
