import type { Clock } from '@nines/base/clock.ts';

/** Nothing is shown before this: most imports are over by then. */
const QUIET_MS = 2_000;
/** Between two lines where no terminal draws over the last one. */
const LINE_EVERY_MS = 5_000;
const DRAW_EVERY_MS = 200;
const BAR_CHARS = 24;

export type Progress = {
  /** `done` of `total` in any unit; without a total only `text` is shown. */
  update(done: number, total: number | undefined, text: string): void;
  /** Ends the line that is drawn over. */
  end(): void;
};

/** On a terminal a bar, elsewhere a plain line every few seconds; on standard error either way. */
export function createProgress(clock: Pick<Clock, 'monotonic'>, out: { readonly isTTY?: boolean; write(text: string): unknown }): Progress {
  const isTerminal = out.isTTY === true;
  const startedMs = clock.monotonic();
  let shownMs = Number.NEGATIVE_INFINITY;
  let drawn = false;
  return {
    update(done, total, text) {
      const nowMs = clock.monotonic();
      if (nowMs - startedMs < QUIET_MS || nowMs - shownMs < (isTerminal ? DRAW_EVERY_MS : LINE_EVERY_MS)) return;
      shownMs = nowMs;
      const share = total === undefined || total <= 0 ? undefined : Math.min(1, done / total);
      const percent = share === undefined ? '' : `${Math.floor(share * 100)} % `;
      if (!isTerminal) {
        out.write(`${percent}${text}\n`);
        return;
      }
      const filled = Math.round((share ?? 0) * BAR_CHARS);
      const bar = share === undefined ? '' : `[${'='.repeat(filled)}${' '.repeat(BAR_CHARS - filled)}] `;
      out.write(`\r\u001b[K${bar}${percent}${text}`);
      drawn = true;
    },
    end() {
      if (drawn) out.write('\r\u001b[K');
      drawn = false;
    },
  };
}
