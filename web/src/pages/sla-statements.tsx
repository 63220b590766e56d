import { Button, NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useIssueStatement } from '../api/sla-actions.ts';
import { issuedQuery } from '../api/sla-queries.ts';
import type { SlaView } from '../api/wire.ts';
import { EmptyState, RefusedNotice, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import { useNowStep } from '../shell/now.ts';
import { useCan } from '../shell/session.tsx';
import { IssuedTable } from '../sla/issued-table.tsx';
import { recentPeriods, periodLabel } from '../sla/periods.ts';
import { SlaHead, WithSla, nameOf } from '../sla/sla-head.tsx';
import { useTitle } from './use-title.ts';

/** What was stated about a contract, period by period, and a way to state what is over. */
export function SlaStatementsPage() {
  const { id } = useParams({ from: '/shell/slas/$id/statements' });
  return <WithSla id={id}>{(sla) => <Loaded sla={sla} />}</WithSla>;
}

function Loaded({ sla }: { readonly sla: SlaView }) {
  useTitle(t('Statements of {nameOf}', { nameOf: nameOf(sla) }));
  const issued = useQuery(issuedQuery({ sla: sla.id }));
  const items = issued.data?.items ?? [];
  return (
    <>
      <SlaHead sla={sla} lead={t('Signed, kept, and restated in the open when what decided them changes.')} />
      <Choose sla={sla} />
      <Section title={t('Issued')} aside={items.length === 0 ? undefined : t('{items} with all revisions', { items: items.length })}>
        <Waiting query={issued} what={t('the statements')} />
        {issued.data !== undefined && items.length === 0 ? (
          <EmptyState command={SNIPPET}>
            {t('No statement was issued yet. Issue one above when its period is over, or let them be issued and mailed by themselves.')}
          </EmptyState>
        ) : null}
        {items.length === 0 ? null : <IssuedTable items={items} withSla={false} />}
      </Section>
    </>
  );
}

const SNIPPET = `statements:
  - id: monthly
    every: month
    slas: [shop-availability]
    channel: mail`;
const PERIODS = 13;

/** The period and the customer of a statement: to look at, or to issue. */
function Choose({ sla }: { readonly sla: SlaView }) {
  const navigate = useNavigate();
  const now = useNowStep(3_600_000);
  const mayIssue = useCan('operate', 'slas');
  const issue = useIssueStatement(sla.id);
  const periods = recentPeriods(sla, now, PERIODS);
  const customers = sla.terms?.customers ?? [];
  const [name, setName] = useState(periods[0]?.name ?? '');
  const [customer, setCustomer] = useState('');
  const period = periods.find((one) => one.name === name) ?? periods[0];
  if (period === undefined) return null;
  const asked = { period: period.name, zone: period.zone, ...(customer === '' ? {} : { customer }) };
  const isOver = period.toMs <= now;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void navigate({ to: '/slas/$id/statement', params: { id: sla.id }, search: asked });
  };
  return (
    <form className="panel panel-pad choose" onSubmit={submit}>
      <NativeSelect
        label={t('Period')}
        data={periods.map((one, i) => ({
          value: one.name,
          label: periodLabel(`${one.name}${one.zone === 'UTC' ? '' : ` (${one.zone})`}`, i === 0),
        }))}
        value={period.name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      {customers.length === 0 ? null : (
        <NativeSelect
          label={t('Customer')}
          data={[{ value: '', label: t('nobody in particular') }, ...customers.map((one) => ({ value: one.id, label: one.name }))]}
          value={customer}
          onChange={(event) => setCustomer(event.currentTarget.value)}
        />
      )}
      <div className="row-wrap">
        <Button type="submit">{t('Look at the statement')}</Button>
        {mayIssue && isOver ? (
          <Button
            variant="default"
            loading={issue.isPending}
            onClick={() => issue.mutate(asked, { onSuccess: ({ id }) => void navigate({ to: '/statements/$id', params: { id } }) })}
          >
            {t('Issue it')}
          </Button>
        ) : null}
        {isOver ? null : (
          <span className="soft">
            {t('The period is not over: its figures are those so far.')} <Link to="/reports">{t('Other periods')}</Link>
          </span>
        )}
      </div>
      {issue.isError ? <RefusedNotice error={issue.error} /> : null}
    </form>
  );
}
