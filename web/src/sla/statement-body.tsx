import { useElementSize } from '@mantine/hooks';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { SignedStatement } from '../api/wire.ts';
import { Attained, PromisedTarget } from '../components/attained.tsx';
import { BudgetBar } from '../components/budget-bar.tsx';
import { Instant } from '../components/instant.tsx';
import { Section } from '../components/section.tsx';
import { exactInstant } from '../figures/instant.ts';
import { lengthText } from '../figures/length.ts';
import { decimalText, targetText } from '../figures/percent.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { Buckets } from '../pages/buckets.tsx';
import { SlaMark } from '../states/state-mark.tsx';
import { phrase } from '../states/words.ts';
import { Strip } from '../timeline/strip.tsx';
import { boundsText } from '../timeline/evidence.tsx';
import { SignatureSection } from './signature-section.tsx';
import { TrendChart } from './trend-chart.tsx';

/** All that a statement says, each figure leading to its time. */
export function StatementBody({ statement }: { readonly statement: SignedStatement }) {
  const { period, known_until_at_ms: until } = statement;
  const window = { from_at_ms: period.from_at_ms, to_at_ms: until ?? period.to_at_ms };
  return (
    <>
      <Hero statement={statement} />
      {statement.recommendations.length === 0 ? null : (
        <Section title={t('Recommendations')}>
          <ul className="panel panel-pad stack">
            {statement.recommendations.map(({ code, text }) => (
              <li key={code}>{fromServer(text)}</li>
            ))}
          </ul>
        </Section>
      )}
      <Section
        title={t('Time line')}
        aside={t('{from} to {to}', {
          from: exactInstant(window.from_at_ms, window.to_at_ms),
          to: exactInstant(window.to_at_ms, window.to_at_ms),
        })}
      >
        <StatementStrip statement={statement} window={window} />
      </Section>
      <Outages statement={statement} />
      <Excluded statement={statement} />
      <Section title={t('Where the time went')}>
        <Buckets buckets={statement.buckets} window={window} />
      </Section>
      <Violations statement={statement} />
      <Section title={t('Period by period')} aside={t('share of the budget that was spent')}>
        <TrendChart statement={statement} />
      </Section>
      <SignatureSection statement={statement} />
    </>
  );
}

function Hero({ statement }: { readonly statement: SignedStatement }) {
  const { credit, young, observed_ms: observed, status_reason: reason, known_until_at_ms: until } = statement;
  return (
    <div className="panel sla-hero">
      <div>
        <SlaMark status={statement.status} young={young} />
        <div className="sla-figure">
          <Attained of={statement} size="large" />
          <PromisedTarget of={statement} />
        </div>
        {reason === '' ? null : <p className="soft">{`${phrase(fromServer(reason))}.`}</p>}
        {until === null ? null : (
          <p className="soft">{t('Provisional: the figures are those up to {until}.', { until: exactInstant(until, until) })}</p>
        )}
        {young ? <p className="soft">{t('Young: observed for {observed} of this period.', { observed: lengthText(observed) })}</p> : null}
      </div>
      <div>
        <h2>{t('Error budget')}</h2>
        <BudgetBar budget={statement.budget} status={statement.status} exhaustsAtMs={null} />
        {credit === null ? null : (
          <>
            <h2>{t('Credit')}</h2>
            <p>{creditText(credit)}</p>
          </>
        )}
      </div>
    </div>
  );
}

function creditText(credit: NonNullable<SignedStatement['credit']>): string {
  if (credit.below === null) return t('Nothing is owed: no tier of the contract was missed.');
  const said = { share: targetText(Number(credit.share)), below: targetText(Number(credit.below)) };
  const share = credit.capped
    ? t('{share} % of the fee, the cap, because less than {below} % was attained.', said)
    : t('{share} % of the fee, because less than {below} % was attained.', said);
  return credit.amount === null ? share : `${decimalText(credit.amount)} ${credit.currency}: ${share}`;
}

const STRIP_PX = 40;

type WindowProps = { readonly statement: SignedStatement; readonly window: { readonly from_at_ms: number; readonly to_at_ms: number } };

function StatementStrip({ statement, window }: WindowProps) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const intervals = statement.timeline.map((one) => ({ from_at_ms: one.from_at_ms, to_at_ms: one.to_at_ms, state: one.state as 'up' }));
  const { down_ms: down, unknown_ms: unknown } = statement.buckets;
  return (
    <>
      <div
        ref={ref}
        role="img"
        aria-label={t('States over the period: down {down}, unknown {unknown}', { down: lengthText(down), unknown: lengthText(unknown) })}
      >
        {width === 0 ? null : (
          <Strip intervals={intervals} view={{ fromMs: window.from_at_ms, toMs: window.to_at_ms }} width={width} height={STRIP_PX} />
        )}
      </div>
      <p className="soft">
        <Link to="/slas/$id" params={{ id: statement.id }} search={{ from: window.from_at_ms, to: window.to_at_ms }} hash="timeline">
          {t('Look closer, down to the check results')}
        </Link>
      </p>
    </>
  );
}

const MARGIN_MS = 60_000;

/** A start that leads to its place on the time line, with the evidence open. */
function Place({ sla, from, to }: { readonly sla: string; readonly from: number; readonly to: number }) {
  const margin = Math.max(MARGIN_MS, to - from);
  return (
    <Link to="/slas/$id" params={{ id: sla }} search={{ from: from - margin, to: to + margin, at: from }} hash="timeline">
      <Instant atMs={from} relative={false} />
    </Link>
  );
}

type Heading = readonly [name: string, numeric?: 'numeric'];

/** A table of a statement; a sentence where it has no rows. */
function Table({
  title,
  none,
  heads,
  rows,
}: {
  readonly title: string;
  readonly none: string;
  readonly heads: readonly Heading[];
  readonly rows: readonly ReactNode[];
}) {
  return (
    <Section title={title} aside={rows.length === 0 ? undefined : String(rows.length)}>
      {rows.length === 0 ? (
        <p className="empty empty-quiet">{none}</p>
      ) : (
        <div className="panel">
          <div className="table-scroll" role="region" aria-label={title} tabIndex={0}>
            <table className="table">
              <caption className="sr-only">{title}</caption>
              <thead>
                <tr>
                  {heads.map(([name, kind]) => (
                    <th key={name} scope="col" className={kind}>
                      {name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>{rows.slice(0, MOST)}</tbody>
            </table>
          </div>
          {rows.length > MOST ? (
            <p className="soft panel-pad">{t('{count} more are in the JSON form.', { count: rows.length - MOST })}</p>
          ) : null}
        </div>
      )}
    </Section>
  );
}
const MOST = 200;

function Outages({ statement }: { readonly statement: SignedStatement }) {
  const endMs = statement.known_until_at_ms ?? statement.period.to_at_ms;
  return (
    <Table
      title={t('Outages')}
      none={t('The service had no outage in this period.')}
      heads={[[t('From')], [t('Length'), 'numeric'], [t('True start')], [t('Reason')], [t('What was seen')]]}
      rows={statement.downtimes.map((one) => (
        <tr key={one.id}>
          <td>
            <Place sla={statement.id} from={one.from_at_ms} to={one.to_at_ms ?? endMs} />
          </td>
          <td className="numeric">{one.to_at_ms === null ? t('not over') : lengthText(one.to_at_ms - one.from_at_ms)}</td>
          <td>{boundsText(one.from_bounds_at_ms)}</td>
          <td>
            {one.excluded ? t('{reason}, excluded', { reason: phrase(one.reason) }) : phrase(one.reason)}
            {one.note === '' ? null : <span className="soft wrap">{`: ${one.note}`}</span>}
          </td>
          <td className="wrap">
            {one.evidence.map(({ check, at_ms: atMs, detail }) => (
              <div key={`${check} ${String(atMs)}`} className="seen-by">
                <Link to="/checks/$id" params={{ id: check }} search={{ at: atMs }}>
                  {check}
                </Link>
                {`: ${detail}`}
              </div>
            ))}
          </td>
        </tr>
      ))}
    />
  );
}

function Excluded({ statement }: { readonly statement: SignedStatement }) {
  return (
    <Table
      title={t('Excluded time')}
      none={t('No time was taken out of this period.')}
      heads={[[t('From')], [t('Length'), 'numeric'], [t('Reason')], [t('Asked by')], [t('Approved by')]]}
      rows={statement.exclusions.map((one) => (
        <tr key={one.from_at_ms}>
          <td>
            <Place sla={statement.id} from={one.from_at_ms} to={one.to_at_ms} />
          </td>
          <td className="numeric">{lengthText(one.to_at_ms - one.from_at_ms)}</td>
          {one.exclusion === null ? (
            <>
              <td>{one.by === 'maintenance' ? t('Announced maintenance') : t('Service down, not measured')}</td>
              <td className="faint">{t('the contract')}</td>
              <td className="faint">{t('the contract')}</td>
            </>
          ) : (
            <>
              <td className="wrap">
                <Link to="/slas/$id/exclusions" params={{ id: statement.id }} search={{ exclusion: one.exclusion.id }}>
                  {phrase(one.exclusion.reason)}
                </Link>
                {one.exclusion.note === '' ? null : <span className="soft">{`: ${one.exclusion.note}`}</span>}
              </td>
              <td className="wrap">{one.exclusion.requested_by}</td>
              <td className="wrap">
                {one.exclusion.approved_by}
                <span className="faint">
                  {' · '}
                  <Instant atMs={one.exclusion.approved_at_ms} relative={false} />
                </span>
              </td>
            </>
          )}
        </tr>
      ))}
    />
  );
}

function Violations({ statement }: { readonly statement: SignedStatement }) {
  return (
    <Table
      title={t('Violations')}
      none={t('The promise was not broken in this period.')}
      heads={[[t('Opened')], [t('Closed')], [t('Severity')], [t('Because')]]}
      rows={statement.violations.map((one) => (
        <tr key={one.id}>
          <td>
            <Instant atMs={one.opened_at_ms} relative={false} />
          </td>
          <td>{one.closed_at_ms === null ? t('open') : <Instant atMs={one.closed_at_ms} relative={false} />}</td>
          <td>{phrase(one.severity)}</td>
          <td className="wrap">{fromServer(one.reason)}</td>
        </tr>
      ))}
    />
  );
}
