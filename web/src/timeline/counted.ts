/** How a contract counts a stretch of time, in words and marks. Pure. */
import type { SegmentView } from '../api/wire.ts';
import { lengthText } from '../figures/length.ts';
import { t } from '../language/t.ts';
import type { MarkState } from '../states/words.ts';

/** What a stretch is drawn as: time that is taken out is hatched blue whatever the state was. */
export const markOf = (segment: Pick<SegmentView, 'overlay' | 'state'>): MarkState =>
  segment.overlay === null ? segment.state : 'excluded';

const EXCLUDED_BY: Readonly<Record<string, string>> = {
  exclusion: t('an agreed exclusion'),
  maintenance: t('announced maintenance'),
  service_down: t('the contract does not measure while the service is down'),
};

/** How the stretch counts: `counts as bad, 4 min 12 s`. */
export function countedText(
  segment: Pick<SegmentView, 'overlay' | 'excluded_by' | 'good_ms' | 'bad_ms' | 'from_at_ms' | 'to_at_ms'>,
): string {
  const length = segment.to_at_ms - segment.from_at_ms;
  if (segment.overlay === 'out_of_hours') return t('not counted: out of service hours');
  if (segment.overlay === 'excluded') return t('not counted: {why}', { why: EXCLUDED_BY[segment.excluded_by ?? ''] ?? t('excluded') });
  if (segment.bad_ms === 0 && segment.good_ms === 0) return t('not counted');
  if (segment.bad_ms === 0)
    return segment.good_ms === length ? t('counts as good') : t('counts as good for {length}', { length: lengthText(segment.good_ms) });
  if (segment.good_ms === 0)
    return segment.bad_ms === length ? t('counts as bad') : t('counts as bad for {length}', { length: lengthText(segment.bad_ms) });
  return t('counts as bad for {bad} and as good for {good}', { bad: lengthText(segment.bad_ms), good: lengthText(segment.good_ms) });
}
