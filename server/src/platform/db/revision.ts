import { AppError } from '@nines/base/errors.ts';

/**
 * Ends a compare-and-set: `update … set revision = revision + 1 where id = … and revision = <the one that was read>`.
 * Throws `AppError` `revision_conflict` (409) when no row matched, because another writer was faster.
 */
export function expectUpdated(result: { readonly numUpdatedRows: bigint }, what: string): void {
  if (result.numUpdatedRows === 0n) {
    throw new AppError(
      'conflict',
      'revision_conflict',
      `${what} was changed by someone else meanwhile; read it again and repeat the change`,
    );
  }
}

/** How often `retryOnConflict` tries: each lost round means another writer won, so few rounds are needed even under contention. */
const MAX_ROUNDS = 20;

/** Runs read-decide-write again while another writer wins the race. `round` must read afresh each time. */
export async function retryOnConflict<T>(round: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await round();
    } catch (thrown) {
      if (attempt >= MAX_ROUNDS || !(thrown instanceof AppError) || thrown.code !== 'revision_conflict') throw thrown;
    }
  }
}
