import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { exclusionsQuery } from '../api/sla-queries.ts';
import type { ExclusionView, SlaView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { EmptyState, Waiting } from '../components/notices.tsx';
import { lengthText } from '../figures/length.ts';
import { t } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';
import { AskExclusion } from '../sla/ask-exclusion.tsx';
import { ExclusionDrawer } from '../sla/exclusion-drawer.tsx';
import { exclusionStateText } from '../sla/exclusion-words.ts';
import { SlaHead, WithSla, nameOf } from '../sla/sla-head.tsx';
import { phrase } from '../states/words.ts';
import { useTitle } from './use-title.ts';

/** Time that people took out of a contract, or ask to: who asked, who decided, why, and what it costs. */
export function SlaExclusionsPage() {
  const { id } = useParams({ from: '/shell/slas/$id/exclusions' });
  return <WithSla id={id}>{(sla) => <Loaded sla={sla} />}</WithSla>;
}

function Loaded({ sla }: { readonly sla: SlaView }) {
  useTitle(t('Exclusions of {nameOf}', { nameOf: nameOf(sla) }));
  const search = useSearch({ from: '/shell/slas/$id/exclusions' });
  const navigate = useNavigate({ from: '/slas/$id/exclusions' });
  const mayAsk = useCan('operate', 'slas');
  const exclusions = useQuery(exclusionsQuery(sla.id));
  const items = exclusions.data?.items ?? [];
  const waiting = items.filter(({ state }) => state === 'requested').length;
  const ask = (
    <Button onClick={() => void navigate({ search: { ask: 1 } })} className="no-print">
      {t('Ask for an exclusion')}
    </Button>
  );
  return (
    <>
      <SlaHead
        sla={sla}
        lead={
          items.length === 0
            ? t('Time that the contract does not count because people agreed so.')
            : t('{items} asked for, {waiting} waiting for a decision.', { items: items.length, waiting })
        }
        actions={mayAsk && items.length > 0 ? ask : undefined}
      />
      <Waiting query={exclusions} what={t('the exclusions')} />
      {exclusions.data !== undefined && items.length === 0 ? (
        <EmptyState action={mayAsk ? ask : undefined}>
          {t(
            'Nothing was taken out of this contract. When an outage was the customer’s own, or force majeure, one person asks for its time to be excluded and another one decides; both names stand in the statement.',
          )}
        </EmptyState>
      ) : null}
      {items.length === 0 ? null : (
        <div className="panel">
          <DataTable caption={t('Exclusions')} columns={columnsOf(sla.id)} rows={newestFirst(items)} rowKey={(one) => one.id} />
        </div>
      )}
      <AskExclusion
        sla={sla}
        opened={search.ask === 1}
        span={search.from === undefined || search.to === undefined ? undefined : { fromMs: search.from, toMs: search.to }}
        onClose={(made) => void navigate({ search: made === undefined ? {} : { exclusion: made } })}
      />
      <ExclusionDrawer
        sla={sla}
        exclusion={items.find((one) => one.id === search.exclusion)}
        missing={search.exclusion !== undefined && exclusions.data !== undefined}
        onClose={() => void navigate({ search: {} })}
      />
    </>
  );
}

const newestFirst = (items: readonly ExclusionView[]) =>
  [...items].sort((a, b) => Number(b.state === 'requested') - Number(a.state === 'requested') || b.requested_at_ms - a.requested_at_ms);

const columnsOf = (sla: string): readonly Column<ExclusionView>[] => [
  {
    id: 'from',
    header: t('Time'),
    cell: (one) => (
      <Link
        to="/slas/$id/exclusions"
        params={{ id: sla }}
        search={{ exclusion: one.id }}
        className="row-name"
        data-row=""
        resetScroll={false}
      >
        <Instant atMs={one.from_at_ms} relative={false} />
      </Link>
    ),
  },
  { id: 'length', header: t('Length'), label: t('length'), numeric: true, cell: (one) => lengthText(one.to_at_ms - one.from_at_ms) },
  { id: 'state', header: t('State'), cell: (one) => <span className="severity">{exclusionStateText(one.state)}</span> },
  { id: 'reason', header: t('Reason'), label: t('reason'), cell: (one) => phrase(one.reason) },
  { id: 'by', header: t('Asked by'), label: t('asked by'), cell: (one) => <span className="wrap">{one.requested_by}</span> },
  {
    id: 'decided',
    header: t('Decided by'),
    label: t('decided by'),
    cell: (one) => <span className="wrap">{one.decisions.at(-1)?.by ?? ''}</span>,
  },
  { id: 'note', header: t('Note'), cell: (one) => <span className="wrap">{one.note}</span> },
];
