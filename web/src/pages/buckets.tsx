import { useElementSize } from '@mantine/hooks';
import { useId } from 'react';
import type { BucketsView } from '../api/wire.ts';
import { lengthText, windowText } from '../figures/length.ts';
import { percentText } from '../figures/percent.ts';
import { countText } from '../figures/quantity.ts';
import { t } from '../language/t.ts';
import { Hatch, StateMark } from '../states/state-mark.tsx';
import type { MarkState } from '../states/words.ts';

type Bucket = { readonly key: keyof BucketsView; readonly word: string; readonly mark: MarkState; readonly fill: string };

const BUCKETS: readonly Bucket[] = [
  { key: 'up_ms', word: t('Up'), mark: 'up', fill: 'var(--up-strip)' },
  { key: 'degraded_ms', word: t('Degraded'), mark: 'degraded', fill: 'var(--degraded)' },
  { key: 'down_ms', word: t('Down'), mark: 'down', fill: 'var(--down)' },
  { key: 'unknown_ms', word: t('Unknown'), mark: 'unknown', fill: '' },
  { key: 'excluded_ms', word: t('Excluded'), mark: 'excluded', fill: '' },
  { key: 'out_of_hours_ms', word: t('Out of hours'), mark: 'excluded', fill: '' },
];

const share = (part: number, whole: number): string => (whole === 0 ? '' : t('{figure} %', { figure: percentText(part / whole, 3) }));

/** The six buckets and their sum: to the millisecond the window, in sight of the reader. */
export function Buckets({
  buckets,
  window,
}: {
  readonly buckets: BucketsView;
  readonly window: { readonly from_at_ms: number; readonly to_at_ms: number };
}) {
  const sum = BUCKETS.reduce((total, { key }) => total + buckets[key], 0);
  const length = window.to_at_ms - window.from_at_ms;
  return (
    <>
      <BucketBar buckets={buckets} sum={sum} />
      <div className="panel">
        <div className="table-scroll" role="region" aria-label={t('Time by state')} tabIndex={0}>
          <table className="table">
            <caption className="sr-only">{t('Time by state in the window')}</caption>
            <thead>
              <tr>
                <th scope="col">{t('State')}</th>
                <th scope="col" className="numeric">
                  {t('Time')}
                </th>
                <th scope="col" className="numeric extra">
                  {t('Milliseconds')}
                </th>
                <th scope="col" className="numeric">
                  {t('Share')}
                </th>
              </tr>
            </thead>
            <tbody>
              {BUCKETS.filter(({ key, mark }) => buckets[key] > 0 || mark !== 'excluded').map(({ key, word, mark }) => (
                <tr key={key}>
                  <td>
                    <StateMark state={mark} word={word} />
                  </td>
                  <td className="numeric">{lengthText(buckets[key])}</td>
                  <td className="numeric faint extra">{countText(buckets[key])}</td>
                  <td className="numeric">{share(buckets[key], sum)}</td>
                </tr>
              ))}
            </tbody>
            <tfoot>
              <tr>
                <td>{sum === length ? t('Sum = the window') : t('Sum; the window is {length}', { length: lengthText(length) })}</td>
                <td className="numeric">{windowText(sum)}</td>
                <td className="numeric extra">{countText(sum)}</td>
                <td className="numeric">100 %</td>
              </tr>
            </tfoot>
          </table>
        </div>
      </div>
    </>
  );
}

const BAR_PX = 16;

function BucketBar({ buckets, sum }: { readonly buckets: BucketsView; readonly sum: number }) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const grey = useId();
  const blue = useId();
  const fillOf = ({ key, fill }: Bucket) => (fill === '' ? `url(#${key === 'unknown_ms' ? grey : blue})` : fill);
  let x = 0;
  return (
    <div ref={ref} className="bucket-bar">
      <svg width={width} height={BAR_PX} viewBox={`0 0 ${Math.max(1, width)} ${BAR_PX}`} preserveAspectRatio="none" aria-hidden="true">
        <Hatch id={grey} colour="var(--hatch)" />
        <Hatch id={blue} colour="var(--maintenance)" />
        {BUCKETS.map((bucket) => {
          const part = sum === 0 ? 0 : (buckets[bucket.key] / sum) * width;
          const left = x;
          x += part;
          return part === 0 ? null : <rect key={bucket.key} x={left} width={Math.max(part, 1)} height={BAR_PX} fill={fillOf(bucket)} />;
        })}
      </svg>
    </div>
  );
}
