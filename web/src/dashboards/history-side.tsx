import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type DashboardView, differencesQuery, revisionsQuery, useRestoreDashboard } from '../api/dashboards.ts';
import { Instant } from '../components/instant.tsx';
import { ErrorNotice, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';

type Props = { readonly of: DashboardView; readonly mayChange: boolean };

/** What the dashboard was, newest first; what changed, and the way back. */
export function HistorySide({ of, mayChange }: Props) {
  const query = useQuery(revisionsQuery(of.id));
  const restore = useRestoreDashboard(of.id);
  const [open, setOpen] = useState<number | undefined>(undefined);
  const items = query.data?.items ?? [];
  return (
    <Section title={t('History')}>
      <Waiting query={query} what={t('the history')} />
      {restore.isError ? <ErrorNotice error={restore.error} /> : null}
      {query.data !== undefined && items.length === 0 ? <p className="soft">{t('It was never changed here.')}</p> : null}
      <ul className="panel revisions">
        {items.map(({ revision, at_ms: atMs, by, note }) => (
          <li key={revision}>
            <div className="row-wrap">
              <b>{revision}</b>
              <Instant atMs={atMs} />
              <span className="soft wrap">{`${t('by {name}', { name: by })}${note === '' ? '' : `: ${note}`}`}</span>
              {revision === of.revision ? <span className="faint">{t('the present one')}</span> : null}
              {revision < of.revision ? (
                <button
                  type="button"
                  className="plain-button"
                  aria-expanded={open === revision}
                  onClick={() => setOpen(open === revision ? undefined : revision)}
                >
                  {t('What changed since')}
                </button>
              ) : null}
              {mayChange && revision !== of.revision ? (
                <Button size="compact-xs" variant="default" loading={restore.isPending} onClick={() => restore.mutate(revision)}>
                  {t('Restore {revision}', { revision: String(revision) })}
                </Button>
              ) : null}
            </div>
            {open === revision ? <Differences id={of.id} from={revision} to={of.revision} /> : null}
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** What is different between two revisions, a line each. */
export function Differences({ id, from, to }: { readonly id: string; readonly from: number; readonly to: number }) {
  const query = useQuery(differencesQuery(id, from, to));
  return (
    <>
      <Waiting query={query} what={t('what changed')} />
      {query.data?.items.length === 0 ? <p className="soft">{t('Nothing: they are the same.')}</p> : null}
      <ul className="differences">
        {(query.data?.items ?? []).map(({ path, kind, before, after }) => (
          <li key={path}>
            <span className="mono">{path}</span>
            {kind === 'added' ? ` ${t('was added:')} ` : kind === 'removed' ? ` ${t('was removed:')} ` : ': '}
            {before === '' ? null : <del className="wrap">{before}</del>}
            {before === '' || after === '' ? null : ' → '}
            {after === '' ? null : <ins className="wrap">{after}</ins>}
          </li>
        ))}
      </ul>
    </>
  );
}
