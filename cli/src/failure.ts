/** What the command line's exit codes mean. Scripts rely on them. */
export const EXIT = { ok: 0, failed: 1, badInput: 2, notFound: 3, auth: 4, remote: 5 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with one plain sentence on standard error and this exit code. */
export class CliFailure extends Error {
  readonly code: ExitCode;
  constructor(code: ExitCode, message: string) {
    super(message);
    this.name = 'CliFailure';
    this.code = code;
  }
}
