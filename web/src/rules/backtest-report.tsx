import type { BacktestView } from '../api/rules.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { exactInstant } from '../figures/instant.ts';
import { lengthText } from '../figures/length.ts';
import { threeDigits } from '../figures/quantity.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { textOfLabels } from '../pages/label-text.ts';
import { phrase } from '../states/words.ts';

const COLUMNS: readonly Column<BacktestView['items'][number]>[] = [
  { id: 'from', header: t('From'), cell: ({ from_ms: atMs }) => <Instant atMs={atMs} relative={false} /> },
  {
    id: 'length',
    header: t('For||how long'),
    label: t('for||how long'),
    cell: ({ from_ms: from, to_ms: to }) => (to === null ? t('still firing') : lengthText(to - from)),
  },
  { id: 'severity', header: t('Severity'), label: t('severity'), cell: ({ severity }) => phrase(severity) },
  {
    id: 'peak',
    header: t('Peak'),
    label: t('peak'),
    numeric: true,
    cell: ({ peak_value: peak }) => (peak === null ? '' : threeDigits(peak)),
  },
  { id: 'labels', header: t('Labels'), cell: ({ labels }) => <span className="mono faint">{textOfLabels(labels)}</span> },
];
const LISTED = 100;

/** What a rule would have done over a span: in a sentence, as a strip, and as a list. */
export function BacktestReport({ report }: { readonly report: BacktestView }) {
  const { fired_total: fired, firing_ms: firingMs, items, error, undecided, tried_until_ms: untilMs, to_ms: toMs } = report;
  const verdict =
    fired === 0
      ? t('It would not have fired.')
      : t('It would have fired {fired, plural, one {once} other {# times}}, for {length} in all.', {
          fired,
          length: lengthText(firingMs),
        });
  return (
    <>
      <p role="status">{verdict}</p>
      {error === null ? null : (
        <p className="soft">{t('From {at} on it fails: {error}', { at: exactInstant(untilMs, toMs), error: fromServer(error) })}</p>
      )}
      {error !== null || untilMs >= toMs ? null : (
        <p className="soft">{t('Time ran out: tried until {at}.', { at: exactInstant(untilMs, toMs) })}</p>
      )}
      {undecided === null ? null : (
        <p className="soft">
          {t('At {count} of {all} instants it could not tell: {why}.', {
            count: undecided.evaluations,
            all: report.evaluations,
            why: fromServer(undecided.reason),
          })}
        </p>
      )}
      <Strip report={report} />
      {items.length === 0 ? null : (
        <div className="panel">
          <DataTable
            caption={t('What would have fired')}
            columns={COLUMNS}
            rows={items.slice(0, LISTED)}
            rowKey={({ from_ms: from, labels }) => `${from} ${JSON.stringify(labels)}`}
          />
        </div>
      )}
      {fired > LISTED ? <p className="faint">{t('The first {most} of {count}.', { most: LISTED, count: fired })}</p> : null}
    </>
  );
}

const WIDTH = 600;
const HEIGHT = 28;

/** When something would have fired, over the whole span; hatching where it was not tried. */
function Strip({ report }: { readonly report: BacktestView }) {
  const { from_ms: from, to_ms: to, items, tried_until_ms: untilMs, fired_total: fired } = report;
  const x = (atMs: number): number => ((Math.min(Math.max(atMs, from), to) - from) / (to - from)) * WIDTH;
  return (
    <figure>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        width="100%"
        height={HEIGHT}
        role="img"
        aria-label={t('{fired} would have fired between {from} and {to}', {
          fired,
          from: exactInstant(from, to),
          to: exactInstant(to, to),
        })}
      >
        <rect x="0" y={HEIGHT / 2 - 1} width={x(untilMs)} height="2" fill="var(--up)" />
        {items.map(({ from_ms: start, to_ms: end, labels }) => (
          <rect
            key={`${start} ${JSON.stringify(labels)}`}
            x={x(start)}
            y="3"
            width={Math.max(2, x(end ?? untilMs) - x(start))}
            height={HEIGHT - 6}
            fill="var(--down)"
          />
        ))}
      </svg>
      <figcaption className="faint row-wrap">{t('{from} to {to}', { from: exactInstant(from, to), to: exactInstant(to, to) })}</figcaption>
    </figure>
  );
}
