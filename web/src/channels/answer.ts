import type { ChannelTestWire } from '../api/wire.ts';
import { lengthText } from '../figures/length.ts';
import { t } from '../language/t.ts';

/** What the other side said to a test, in words. */
export function answerOf(test: ChannelTestWire | undefined): string {
  if (test === undefined) return '';
  const length = lengthText(test.duration_ms);
  if (!test.delivered) return t('Not delivered after {length}: {why}', { length, why: test.error ?? t('it gave no reason') });
  return test.receipt === null || test.receipt === ''
    ? t('Taken in {length}', { length })
    : t('Taken in {length}, receipt {receipt}', { length, receipt: test.receipt });
}
