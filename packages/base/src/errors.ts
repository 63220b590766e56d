/**
 * Two kinds of failure leave a function by exception: an expected refusal at a service's boundary (`AppError`, which a route
 * turns into a status) and a broken invariant (`BUG:`, which nobody catches). Everything else is a `Result`.
 */
export type ErrorKind =
  | 'bad_input'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'too_large'
  | 'unsupported'
  | 'limited'
  | 'unavailable';

export type AppErrorOptions = {
  readonly cause?: unknown;
  readonly field?: string;
  readonly retryAfterMs?: number;
  readonly details?: unknown;
};

/** A refusal that a caller caused or must know about. `code` is stable (`alert_not_found`), `kind` decides the status. */
export class AppError extends Error {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly field: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly details: unknown;

  constructor(kind: ErrorKind, code: string, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.kind = kind;
    this.code = code;
    this.field = options.field;
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details;
  }
}

/** Crashes when `condition` is false. The message says what was expected and what was found. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`BUG: ${message}`);
}

/** The default branch of an exhaustive switch: a new member of the union breaks the build here first. */
export function assertNever(value: never, where: string): never {
  throw new Error(`BUG: unexpected ${JSON.stringify(value)} in ${where}`);
}

/** The message of whatever was thrown. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
