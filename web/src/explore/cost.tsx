import type { Answered } from '../api/explore.ts';

const milliseconds = (seconds: number): string => `${(seconds * 1000).toFixed(seconds < 0.1 ? 1 : 0)} ms`;

/** What a query cost, and what the server remarks about it. */
export function Cost({ answer, what }: { readonly answer: Answered; readonly what: string }) {
  const { stats, remarks, tookMs } = answer;
  const parts = [
    what,
    ...(stats === undefined
      ? []
      : [
          `${stats.samples.samplesRead.toLocaleString('en')} samples read`,
          `evaluated in ${milliseconds(stats.timings.evalTotalTime)}`,
          ...(stats.timings.execQueueTime < 0.001 ? [] : [`waited ${milliseconds(stats.timings.execQueueTime)}`]),
        ]),
    `here after ${milliseconds(tookMs / 1000)}`,
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
