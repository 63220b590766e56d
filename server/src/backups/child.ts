import { execFile } from 'node:child_process';
import { setPriority } from 'node:os';
import { AppError, messageOf } from '@nines/base/errors.ts';
import { type ExaminationView, examinationView } from './contract.ts';

/**
 * `nines … --json` in a process of its own: verification and the doctor read and decode everything, for minutes, and SQLite's own check cannot pause; here they
 * would hold up ingest. At low priority.
 */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
const LOW_PRIORITY = 15;

/** `args` follow the program's name. Rejects with `AppError` when it ends without a report. */
export function examineInChild(args: readonly string[], signal: AbortSignal, embedded = false): Promise<ExaminationView> {
  // Of a program that Nines runs inside of, another one would be a second of that program.
  if (embedded) return Promise.reject(new AppError('unavailable', 'examination_unavailable', `run: nines ${args.join(' ')}`));
  const program = process.argv[1] ?? '';
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [...process.execArgv, program, ...args, '--json'],
      { maxBuffer: MAX_OUTPUT_BYTES, signal },
      (_error, stdout, stderr) => {
        // A report of damage comes with an exit code of its own, so the report decides.
        try {
          resolve(examinationView.parse(JSON.parse(stdout)));
        } catch (thrown) {
          reject(
            new AppError('unavailable', 'examination_failed', stderr.trim() === '' ? messageOf(thrown) : stderr.trim(), { cause: thrown }),
          );
        }
      },
    );
    if (child.pid !== undefined) lowerPriority(child.pid);
  });
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, LOW_PRIORITY);
  } catch {
    // It ended already, or the system does not allow it; the work is the same.
  }
}
