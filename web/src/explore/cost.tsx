import type { Answered } from '../api/explore.ts';
import { decimalText } from '../figures/percent.ts';
import { t } from '../language/t.ts';

const milliseconds = (seconds: number): string => `${decimalText((seconds * 1000).toFixed(seconds < 0.1 ? 1 : 0))} ms`;

/** What a query cost, and what the server remarks about it. */
export function Cost({ answer, what }: { readonly answer: Answered; readonly what: string }) {
  const { stats, remarks, tookMs } = answer;
  const parts = [
    what,
    ...(stats === undefined
      ? []
      : [
          t('{count, plural, one {# sample} other {# samples}} read', { count: stats.samples.samplesRead }),
          t('evaluated in {length}', { length: milliseconds(stats.timings.evalTotalTime) }),
          ...(stats.timings.execQueueTime < 0.001 ? [] : [t('waited {length}', { length: milliseconds(stats.timings.execQueueTime) })]),
        ]),
    t('here after {length}', { length: milliseconds(tookMs / 1000) }),
  ];
  return (
    <div className="explore-cost">
      <p className="faint">{parts.join(' · ')}</p>
      {remarks.map((remark) => (
        <p key={remark} role="status" className="soft">
          {remark}
        </p>
      ))}
    </div>
  );
}
