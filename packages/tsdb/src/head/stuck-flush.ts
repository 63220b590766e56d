import { messageOf } from '@nines/base/errors.ts';
import { StoreUnavailable } from '@nines/model/storage.ts';

/** What may be added to memory while flushes fail: two hours of some 40 000 series at 15 s. */
export const DEFAULT_MAX_GROWTH_BYTES = 256 * 1024 * 1024;

/** Bounds the memory of a store whose pages cannot be written: samples are refused rather than the process killed, until a flush succeeds. */
export class StuckFlush {
  readonly #maxGrowthBytes: number;
  #since: { readonly headBytes: number; readonly cause: unknown } | undefined;

  constructor(maxGrowthBytes: number) {
    this.#maxGrowthBytes = maxGrowthBytes;
  }

  failed(headBytes: number, cause: unknown): void {
    this.#since = { headBytes: this.#since?.headBytes ?? headBytes, cause };
  }

  succeeded(): void {
    this.#since = undefined;
  }

  /** What an append is answered now; undefined as long as there is room. */
  refusal(headBytes: number): StoreUnavailable | undefined {
    if (this.#since === undefined || headBytes - this.#since.headBytes < this.#maxGrowthBytes) return undefined;
    const { cause } = this.#since;
    const reason = cause instanceof StoreUnavailable ? cause.reason : 'io';
    return new StoreUnavailable(reason, `Memory for samples is used up, because they cannot be moved to pages: ${messageOf(cause)}`, {
      cause,
    });
  }
}
