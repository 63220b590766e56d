/** The package `@nines/library`: Nines inside of a program. */
export type * from './contract.ts';
export { AppError, type AppErrorOptions, type ErrorKind } from '@nines/base/errors.ts';
export { openMetrics } from './open.ts';
