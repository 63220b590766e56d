import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type RecoveryActionView, type RecoveryRunView, recoveryActionsQuery, recoveryRunsQuery, useRunRecovery } from '../api/recovery.ts';
import { Instant } from '../components/instant.tsx';
import { RefusedNotice } from '../components/notices.tsx';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';
import { phrase } from '../states/words.ts';

/** What is done when the check is down, why not now, and what came of it. Nothing where no action is declared. */
export function CheckRecovery({ check }: { readonly check: string }) {
  const actions = useQuery(recoveryActionsQuery(check)).data?.items ?? [];
  const runs = useQuery(recoveryRunsQuery(check)).data?.items ?? [];
  if (actions.length === 0 && runs.length === 0) return null;
  return (
    <section className="section" aria-label={t('Recovery')}>
      <h3>{t('Recovery')}</h3>
      {actions.map((action) => (
        <Action key={action.id} action={action} />
      ))}
      {runs.length === 0 ? <p className="faint">{t('Nothing was done so far.')}</p> : null}
      <ol className="steps" aria-label={t('Runs of recovery actions')}>
        {runs.map((run) => (
          <Run key={run.id} run={run} />
        ))}
      </ol>
    </section>
  );
}

function Action({ action }: { readonly action: RecoveryActionView }) {
  const run = useRunRecovery(action.id);
  const [isAsked, setAsked] = useState(false);
  const mayAct = useCan('operate', 'checks');
  return (
    <div>
      <p>
        <b>{action.id}</b>
        {`: ${action.does}. `}
        <span className="faint">{`${phrase(action.decision.reason)}: ${fromServer(action.decision.detail)}.`}</span>
      </p>
      {mayAct ? (
        <div className="row-wrap">
          <Button variant="default" size="xs" loading={run.isPending} onClick={() => run.mutate({ dryRun: true })}>
            {t('Dry run of {action}', { action: action.id })}
          </Button>
          {action.dry_run ? null : isAsked ? (
            <Button
              size="xs"
              color="red"
              loading={run.isPending}
              onClick={() => {
                setAsked(false);
                run.mutate({ dryRun: false });
              }}
            >
              {t('Yes, run {action} now', { action: action.id })}
            </Button>
          ) : (
            <Button variant="default" size="xs" onClick={() => setAsked(true)}>
              {t('Run {action}', { action: action.id })}
            </Button>
          )}
        </div>
      ) : null}
      {run.isError ? <RefusedNotice error={run.error} /> : null}
    </div>
  );
}

function Run({ run }: { readonly run: RecoveryRunView }) {
  return (
    <li>
      <Instant atMs={run.started_at_ms} relative={false} />
      <span className="wrap">
        <b>{phrase(run.status)}</b>
        {` · ${t('{action}, try {count}', { action: run.action, count: run.try })}`}
        {run.by === null ? null : <span className="faint">{` ${t('by {name}', { name: run.by })}`}</span>}
        {run.detail === '' ? null : <span className="soft">{`: ${fromServer(run.detail)}`}</span>}
        {run.output === '' ? null : <pre className="wrap faint">{run.output}</pre>}
      </span>
    </li>
  );
}
