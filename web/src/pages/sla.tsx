import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { withQuery } from '../api/client.ts';
import { slaQuery, violationsQuery } from '../api/queries.ts';
import type { SlaView } from '../api/wire.ts';
import { BudgetBar } from '../components/budget-bar.tsx';
import { Instant } from '../components/instant.tsx';
import { ErrorNotice, Waiting } from '../components/notices.tsx';
import { ProvenDigits, Target } from '../components/proven-digits.tsx';
import { Section } from '../components/section.tsx';
import { lengthText, windowText } from '../figures/length.ts';
import { readableLengths } from '../figures/readable.ts';
import { targetText } from '../figures/percent.ts';
import { SlaMark } from '../states/state-mark.tsx';
import { Buckets } from './buckets.tsx';
import { BurnTable } from './burn-table.tsx';
import { useTitle } from './use-title.ts';
import { ViolationsTable } from './violations-table.tsx';

/** One SLA: was it kept, what is left, and every number behind that. */
export function SlaPage() {
  const { id } = useParams({ from: '/shell/slas/$id' });
  const sla = useQuery(slaQuery(id));
  if (sla.data === undefined) {
    return (
      <div className="page">
        <Waiting query={sla} what="the SLA" />
      </div>
    );
  }
  return <Loaded sla={sla.data} />;
}

const nameOf = (sla: SlaView): string => (sla.name === '' ? sla.id : sla.name);

function Loaded({ sla }: { readonly sla: SlaView }) {
  useTitle(`${nameOf(sla)}: ${sla.status.replace('_', ' ')}`);
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <p className="crumb">
            <Link to="/slas">SLAs</Link>
          </p>
          <h1>{nameOf(sla)}</h1>
          <p className="page-lead">
            {promiseText(sla)}{' '}
            <Link to="/services/$id" params={{ id: sla.service }}>
              {sla.service}
            </Link>
            .
          </p>
        </div>
        <ReportButtons sla={sla} />
      </header>
      <div className="panel sla-hero">
        <div>
          <SlaMark status={sla.status} young={sla.young} />
          <div className="sla-figure">
            <ProvenDigits attained={sla.attained} bounds={sla.attained_bounds} size="large" />
            <Target op=">=" target={sla.target} />
          </div>
          {sla.status_reason === '' || sla.status === 'met' ? null : (
            <p className="soft">{sentenceCase(readableLengths(sla.status_reason))}</p>
          )}
        </div>
        <div>
          <h2>Error budget</h2>
          <p className="soft">{budgetSentence(sla)}</p>
          {sla.prediction === undefined || sla.prediction === null ? null : <p className="soft">{predictionSentence(sla.prediction)}</p>}
          <BudgetBar budget={sla.budget} status={sla.status} exhaustsAtMs={sla.exhausts_at_ms} />
        </div>
      </div>
      <WindowSection sla={sla} />
      <div className="columns">
        <Violations id={sla.id} open={sla.violations_open} />
        <Section title="Burn rates" aside="1 = the budget ends with the window">
          <BurnTable burn={sla.burn} />
        </Section>
      </div>
    </div>
  );
}

const sentenceCase = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;

function promiseText(sla: SlaView): string {
  const length = windowText(sla.window.to_at_ms - sla.window.from_at_ms);
  if (sla.indicator.kind === 'availability') return `Up at least ${targetText(sla.target)} % of any ${length}, for`;
  const { op, value, unit, statistic } = sla.objective;
  const limit = unit === 'seconds' ? lengthText(value * 1000) : `${value}${unit === 'ratio' ? '' : ` ${unit}`}`;
  const sign = op.replace('>=', '≥').replace('<=', '≤');
  return `${statistic === null ? 'Measured value' : `The ${statistic}`} ${sign} ${limit} in at least ${targetText(sla.target)} % of any ${length}, for`;
}

function predictionSentence({ breach_by_end: byEnd, breach_within_60m: soon, calibration }: NonNullable<SlaView['prediction']>): string {
  const percent = (chance: number): string => `${Math.round(chance * 100)} %`;
  const tested =
    calibration === null
      ? ''
      : ` Tested on ${calibration.cases} past instants: Brier score ${calibration.brier.toFixed(3)}, base rate ${calibration.base_brier.toFixed(3)}.`;
  return `Chance of a breach: ${percent(soon)} within 60 minutes, ${percent(byEnd)} by the end of the window.${tested}`;
}

function budgetSentence(sla: SlaView): string {
  if (sla.budget.unit === 'events') return `${sla.budget.total} events may fail in this window; ${sla.budget.spent} did.`;
  const { total_ms: total, remaining_ms: left } = sla.budget;
  if (left < 0) return `${lengthText(total)} may be lost in this window; ${lengthText(-left)} more than that were lost.`;
  return `${lengthText(total)} may be lost in this window; ${lengthText(left)} are left.`;
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
        Open report
      </Button>
      <Button component="a" href={path('json')} download={`${sla.id}.json`} variant="default">
        Download JSON
      </Button>
      <Button component="a" href={path('csv')} download={`${sla.id}.csv`} variant="default">
        Download CSV
      </Button>
    </div>
  );
}

function WindowSection({ sla }: { readonly sla: SlaView }) {
  return (
    <Section
      title="Where the time went"
      aside={
        <span>
          <Instant atMs={sla.window.from_at_ms} relative={false} />
          {' – '}
          <Instant atMs={sla.window.to_at_ms} relative={false} />
        </span>
      }
    >
      <Buckets buckets={sla.buckets} window={sla.window} />
      {sla.young ? (
        <p className="soft">{`Watched for ${lengthText(sla.observed_ms)} so far: the window is not full yet, and the time before counts neither as kept nor as lost.`}</p>
      ) : null}
    </Section>
  );
}

function Violations({ id, open }: { readonly id: string; readonly open: number }) {
  const violations = useQuery(violationsQuery(id));
  return (
    <Section title="Violations" aside={open === 0 ? undefined : `${open} open`}>
      {violations.isError && violations.data === undefined ? (
        <ErrorNotice error={violations.error} retry={() => void violations.refetch()} />
      ) : null}
      {violations.data !== undefined && violations.data.items.length === 0 ? (
        <p className="empty empty-quiet">This promise was never broken.</p>
      ) : null}
      {violations.data === undefined || violations.data.items.length === 0 ? null : <ViolationsTable violations={violations.data.items} />}
    </Section>
  );
}
