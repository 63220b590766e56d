import type { SlaSpec, SlaView } from '../api/wire.ts';
import { Section } from '../components/section.tsx';
import { lengthText, windowText } from '../figures/length.ts';
import { percentText, targetText } from '../figures/percent.ts';
import { phrase } from '../states/words.ts';

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
          {rowsOf(sla, terms).map(([name, value]) => (
            <div key={name} className="fact-row">
              <dt>{name}</dt>
              <dd className={name === 'Query' ? 'mono wrap' : 'wrap'}>{value}</dd>
            </div>
          ))}
        </dl>
      </div>
    </Section>
  );
}

const UNKNOWN: Readonly<Record<string, string>> = {
  exclude: 'is not counted, neither good nor bad',
  down: 'counts as bad',
  up: 'counts as good',
};

function rowsOf(sla: SlaView, terms: SlaSpec): readonly (readonly [string, string])[] {
  const { indicator } = terms;
  const rows: (readonly [string, string])[] = [
    ['Attained', 'good time divided by good and bad time, exact to the millisecond; shown truncated, never rounded up'],
    ['Target', `${targetText(sla.target)} %`],
    ['Window', windowWords(terms.window)],
  ];
  if (indicator.kind === 'availability') {
    const weight = indicator.degraded_weight;
    rows.push(['Degraded time', weight === null ? 'counts as good' : `counts as good by ${percentText(Number(weight), 0)} %`]);
  } else {
    rows.push(['Query', indicator.query]);
    rows.push([
      'Slices',
      `each ${lengthText(indicator.slice_ms)}, judged by its ${indicator.reduce} ${indicator.condition} ${indicator.threshold}`,
    ]);
    rows.push(['While the service is down', WHILE_DOWN[indicator.while_down] ?? phrase(indicator.while_down)]);
  }
  rows.push([
    'Unknown time',
    terms.unknown.kind === 'carry_forward'
      ? `carries the last known state for at most ${lengthText(terms.unknown.max_gap_ms)}`
      : (UNKNOWN[terms.unknown.kind] ?? terms.unknown.kind),
  ]);
  rows.push(['Maintenance', maintenanceWords(terms.maintenance)]);
  rows.push(['Service hours', hoursWords(terms.hours)]);
  rows.push(['Credits', creditWords(terms)]);
  return rows;
}

const WHILE_DOWN: Readonly<Record<string, string>> = { exclude: 'not measured', bad: 'every slice is bad', measure: 'measured as ever' };

function windowWords(window: SlaSpec['window']): string {
  if ('rolling_ms' in window) return `the last ${windowText(window.rolling_ms)}, moving`;
  const { every, calendar, zone } = window;
  return every === 1 ? `each ${calendar} of the calendar of ${zone}` : `each ${every} ${calendar}s of the calendar of ${zone}`;
}

function maintenanceWords(terms: SlaSpec['maintenance']): string {
  if (terms === undefined) return 'counts as any other time';
  const { notice_ms: notice, allowance } = terms;
  const announced = notice === 0 ? 'announced before it began' : `announced ${lengthText(notice)} before`;
  const most = allowance === null ? '' : `, at most ${lengthText(allowance.length_ms)} a ${allowance.per}`;
  return `is taken out when ${announced}${most}`;
}

function hoursWords(hours: SlaSpec['hours']): string {
  if (hours === undefined) return 'always promised';
  const days = Object.entries(hours.weekly).map(([day, stretches]) => `${phrase(day)} ${(stretches ?? []).join(', ')}`);
  const holidays = hours.holidays.length === 0 ? '' : `; not on ${hours.holidays.length} holidays`;
  return `${days.join('; ')} (${hours.zone})${holidays}`;
}

function creditWords({ credits }: SlaSpec): string {
  if (credits === undefined) return 'none';
  const tiers = credits.tiers.map(({ below, credit }) => `${targetText(Number(credit))} % below ${targetText(Number(below))} %`);
  return `${tiers.join(', ')} of the fee in ${credits.currency}, at most ${targetText(Number(credits.cap))} %`;
}
