import { type PromiseRow, countingRows, promiseInWords, recoveryFigures } from '@nines/maths/slo/promise-words.ts';
import type { SlaSpec, SlaView } from '../api/wire.ts';
import { Section } from '../components/section.tsx';
import { windowText } from '../figures/length.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { periodsText } from './periods.ts';

/** The terms that turn time into the figure, in words: nobody has to guess how a number came about. */
export function HowCounted({ sla }: { readonly sla: SlaView }) {
  const { terms } = sla;
  if (terms === undefined) return null;
  return (
    <Section
      title={t('How this is counted')}
      aside={`${t('contract version {version}', { version: sla.contract_version })} · ${sla.origin === 'ui' ? t('made in these pages') : sla.origin}`}
    >
      <div className="panel panel-pad">
        <dl className="evidence-facts">
          {rowsOf(sla, terms).map(({ name, value, code }, index) => (
            <div key={`${index}-${name}`} className="fact-row">
              <dt>{name}</dt>
              <dd className={code ? 'mono wrap' : 'wrap'}>{value}</dd>
            </div>
          ))}
        </dl>
      </div>
    </Section>
  );
}

function rowsOf(sla: SlaView, terms: SlaSpec): readonly PromiseRow[] {
  const recovery = recoveryFigures(sla);
  const attained =
    recovery === undefined
      ? sla.budget.unit === 'events'
        ? t('good events divided by all, counted exactly; shown truncated, never rounded up')
        : t('good time divided by good and bad time, exact to the millisecond; shown truncated, never rounded up')
      : t('the mean length of the outages, exact to the millisecond');
  return [
    { name: t('Promised'), value: fromServer(promiseInWords(terms)) },
    { name: t('Attained'), value: attained },
    { name: t('Window'), value: windowWords(terms.window) },
    ...countingRows(terms).map((row) => ({ ...row, name: fromServer(row.name), value: row.code ? row.value : fromServer(row.value) })),
  ];
}

function windowWords(window: SlaSpec['window']): string {
  if ('rolling_ms' in window) return t('the last {length}, moving', { length: windowText(window.rolling_ms) });
  const { every, calendar, zone } = window;
  return t('each {periods} of the calendar of {zone}', { periods: periodsText(calendar, every), zone });
}
