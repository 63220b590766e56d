import { promiseInWords, recoveryFigures } from '@nines/maths/slo/promise-words.ts';
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { withQuery } from '../api/client.ts';
import { violationsQuery } from '../api/queries.ts';
import { burnDownQuery, daysQuery } from '../api/sla-queries.ts';
import type { SlaView } from '../api/wire.ts';
import { Attained, PromisedTarget } from '../components/attained.tsx';
import { BudgetBar } from '../components/budget-bar.tsx';
import { Instant } from '../components/instant.tsx';
import { ErrorNotice, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { lengthText, windowText } from '../figures/length.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { AccountSection } from '../sla/account-section.tsx';
import { BurnDown } from '../sla/burn-down.tsx';
import { Calendar } from '../sla/calendar.tsx';
import { calendarDays } from '../sla/day-grid.ts';
import { HowCounted } from '../sla/how-counted.tsx';
import { periodsText } from '../sla/periods.ts';
import { PredictionSection } from '../sla/prediction.tsx';
import { SlaHead, WithSla, nameOf } from '../sla/sla-head.tsx';
import { SlaMark } from '../states/state-mark.tsx';
import { Buckets } from './buckets.tsx';
import { BurnTable } from './burn-table.tsx';
import { useTitle } from './use-title.ts';
import { ViolationsTable } from './violations-table.tsx';

/** One SLA: was it kept, what is left, and every number behind that. */
export function SlaPage() {
  const { id } = useParams({ from: '/shell/slas/$id' });
  return <WithSla id={id}>{(sla) => <Loaded sla={sla} />}</WithSla>;
}

function Loaded({ sla }: { readonly sla: SlaView }) {
  useTitle(`${nameOf(sla)}: ${sla.status.replace('_', ' ')}`);
  return (
    <>
      <SlaHead
        sla={sla}
        lead={
          <>
            {promiseText(sla)}{' '}
            <Link to="/services/$id" params={{ id: sla.service }}>
              {sla.service}
            </Link>
            .
          </>
        }
        actions={<ReportButtons sla={sla} />}
      />
      <Hero sla={sla} />
      <div className="columns">
        <BudgetOverTime sla={sla} />
        <Days sla={sla} />
      </div>
      <AccountSection sla={sla} />
      <WindowSection sla={sla} />
      <Violations id={sla.id} open={sla.violations_open} />
      <div className="columns">
        <Section title={t('Burn rates')} aside={t('1 = the budget ends with the window')}>
          <BurnTable burn={sla.burn} isRecovery={recoveryFigures(sla) !== undefined} />
        </Section>
        <PredictionSection sla={sla} />
      </div>
      <HowCounted sla={sla} />
    </>
  );
}

function Hero({ sla }: { readonly sla: SlaView }) {
  return (
    <div className="panel sla-hero">
      <div>
        <SlaMark status={sla.status} young={sla.young} />
        <div className="sla-figure">
          <Attained of={sla} size="large" />
          <PromisedTarget of={sla} />
        </div>
        {sla.status_reason === '' || sla.status === 'met' ? null : <p className="soft">{sentenceCase(fromServer(sla.status_reason))}</p>}
        {sla.young ? <p className="soft">{youngSentence(sla)}</p> : null}
      </div>
      <div>
        <h2>{t('Error budget')}</h2>
        <p className="soft">{budgetSentence(sla)}</p>
        <BudgetBar budget={sla.budget} status={sla.status} exhaustsAtMs={sla.exhausts_at_ms} />
      </div>
    </div>
  );
}

const youngSentence = (sla: SlaView): string =>
  t('Young: watched for {length} so far. The window is not full yet, and the time before counts neither as kept nor as lost.', {
    length: lengthText(sla.observed_ms),
  });

function BudgetOverTime({ sla }: { readonly sla: SlaView }) {
  const burnDown = useQuery(burnDownQuery(sla));
  return (
    <Section
      title={t('Budget over the window')}
      aside={<WindowNote fromMs={sla.window.from_at_ms} toMs={sla.calendar?.ends_at_ms ?? sla.window.to_at_ms} />}
    >
      <div className="panel panel-pad">
        {burnDown.data === undefined ? (
          <Waiting query={burnDown} what={t('the budget')} />
        ) : (
          <BurnDown data={burnDown.data} exhaustsAtMs={sla.exhausts_at_ms} />
        )}
      </div>
    </Section>
  );
}

function Days({ sla }: { readonly sla: SlaView }) {
  const { day } = useSearch({ from: '/shell/slas/$id' });
  const days = useQuery(daysQuery(sla.id, calendarDays(sla.window.to_at_ms - sla.window.from_at_ms)));
  return (
    <Section title={t('Days')} aside={t('a day leads to its time line')}>
      <div className="panel panel-pad">
        {days.data === undefined ? (
          <Waiting query={days} what={t('the days')} />
        ) : (
          <Calendar sla={sla.id} days={days.data.items} chosen={day} />
        )}
      </div>
    </Section>
  );
}

function WindowNote({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }) {
  return (
    <span>
      <Instant atMs={fromMs} relative={false} />
      {' – '}
      <Instant atMs={toMs} relative={false} />
    </span>
  );
}

const sentenceCase = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;

/** `any 24 h` of a rolling window, `each month` of the calendar. */
function periodWords({ calendar, window }: SlaView): string {
  if (calendar === null) return t('any {length}', { length: windowText(window.to_at_ms - window.from_at_ms) });
  const { every, calendar: unit, zone } = calendar;
  return t('each {periods} ({zone})', { periods: periodsText(unit, every), zone });
}

function promiseText(sla: SlaView): string {
  const promise = fromServer(promiseInWords({ target: String(sla.target), indicator: sla.indicator }));
  return t('{promise}, over {period}, for', { promise, period: periodWords(sla) });
}

function budgetSentence(sla: SlaView): string {
  if (sla.budget.unit === 'events')
    return t('{total} events may fail in this window; {spent} did.', { total: sla.budget.total, spent: sla.budget.spent });
  const { total_ms: total, remaining_ms: left } = sla.budget;
  if (left < 0)
    return t('{total} may be lost in this window; {more} more than that were lost.', { total: lengthText(total), more: lengthText(-left) });
  return t('{total} may be lost in this window; {left} are left.', { total: lengthText(total), left: lengthText(left) });
}

function ReportButtons({ sla }: { readonly sla: SlaView }) {
  const path = (format: string) =>
    withQuery(`/api/slas/${encodeURIComponent(sla.id)}/report`, {
      from: sla.window.from_at_ms / 1000,
      to: sla.window.to_at_ms / 1000,
      format,
    });
  return (
    <div className="row-wrap no-print">
      <Button component="a" href={path('html')} target="_blank" rel="noreferrer">
        {t('Open report')}
      </Button>
      <Button component="a" href={path('json')} download={`${sla.id}.json`} variant="default">
        {t('Download JSON')}
      </Button>
      <Button component="a" href={path('csv')} download={`${sla.id}.csv`} variant="default">
        {t('Download CSV')}
      </Button>
    </div>
  );
}

function WindowSection({ sla }: { readonly sla: SlaView }) {
  return (
    <Section title={t('Where the time went')} aside={<WindowNote fromMs={sla.window.from_at_ms} toMs={sla.window.to_at_ms} />}>
      <Buckets buckets={sla.buckets} window={sla.window} />
    </Section>
  );
}

function Violations({ id, open }: { readonly id: string; readonly open: number }) {
  const violations = useQuery(violationsQuery(id));
  return (
    <Section title={t('Violations')} aside={open === 0 ? undefined : t('{open} open', { open })}>
      {violations.isError && violations.data === undefined ? (
        <ErrorNotice error={violations.error} retry={() => void violations.refetch()} />
      ) : null}
      {violations.data !== undefined && violations.data.items.length === 0 ? (
        <p className="empty empty-quiet">{t('This promise was never broken.')}</p>
      ) : null}
      {violations.data === undefined || violations.data.items.length === 0 ? null : (
        <ViolationsTable sla={id} violations={violations.data.items} />
      )}
    </Section>
  );
}
