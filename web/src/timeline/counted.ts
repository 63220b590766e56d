/** How a contract counts a stretch of time, in words and marks. Pure. */
import type { SegmentView } from '../api/wire.ts';
import { lengthText } from '../figures/length.ts';
import type { MarkState } from '../states/words.ts';

/** What a stretch is drawn as: time that is taken out is hatched blue whatever the state was. */
export const markOf = (segment: Pick<SegmentView, 'overlay' | 'state'>): MarkState =>
  segment.overlay === null ? segment.state : 'excluded';

const EXCLUDED_BY: Readonly<Record<string, string>> = {
  exclusion: 'an agreed exclusion',
  maintenance: 'announced maintenance',
  service_down: 'the contract does not measure while the service is down',
};

/** How the stretch counts: `counts as bad, 4 min 12 s`. */
export function countedText(
  segment: Pick<SegmentView, 'overlay' | 'excluded_by' | 'good_ms' | 'bad_ms' | 'from_at_ms' | 'to_at_ms'>,
): string {
  const length = segment.to_at_ms - segment.from_at_ms;
  if (segment.overlay === 'out_of_hours') return 'not counted: out of service hours';
  if (segment.overlay === 'excluded') return `not counted: ${EXCLUDED_BY[segment.excluded_by ?? ''] ?? 'excluded'}`;
  if (segment.bad_ms === 0 && segment.good_ms === 0) return 'not counted';
  if (segment.bad_ms === 0) return segment.good_ms === length ? 'counts as good' : `counts as good for ${lengthText(segment.good_ms)}`;
  if (segment.good_ms === 0) return segment.bad_ms === length ? 'counts as bad' : `counts as bad for ${lengthText(segment.bad_ms)}`;
  return `counts as bad for ${lengthText(segment.bad_ms)} and as good for ${lengthText(segment.good_ms)}`;
}
