import { type PromiseRow, countingRows, promiseInWords, recoveryFigures } from '@nines/maths/slo/promise-words.ts';
import type { SlaSpec, SlaView } from '../api/wire.ts';
import { Section } from '../components/section.tsx';
import { windowText } from '../figures/length.ts';

/** The terms that turn time into the figure, in words: nobody has to guess how a number came about. */
export function HowCounted({ sla }: { readonly sla: SlaView }) {
  const { terms } = sla;
  if (terms === undefined) return null;
  return (
    <Section
      title="How this is counted"
      aside={`contract version ${sla.contract_version} · ${sla.origin === 'ui' ? 'made in these pages' : sla.origin}`}
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
      ? `good ${sla.budget.unit === 'events' ? 'events divided by all, counted exactly' : 'time divided by good and bad time, exact to the millisecond'}; shown truncated, never rounded up`
      : 'the mean length of the outages, exact to the millisecond';
  return [
    { name: 'Promised', value: promiseInWords(terms) },
    { name: 'Attained', value: attained },
    { name: 'Window', value: windowWords(terms.window) },
    ...countingRows(terms),
  ];
}

function windowWords(window: SlaSpec['window']): string {
  if ('rolling_ms' in window) return `the last ${windowText(window.rolling_ms)}, moving`;
  const { every, calendar, zone } = window;
  return every === 1 ? `each ${calendar} of the calendar of ${zone}` : `each ${every} ${calendar}s of the calendar of ${zone}`;
}
