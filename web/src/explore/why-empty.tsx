import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ExplanationView, explanationQuery } from '../api/explore.ts';
import { t } from '../language/t.ts';

type Run = (query: string) => void;

/** That a query gives nothing, why, and what to write instead. */
export function WhyEmpty({ query, atMs, onRun }: { readonly query: string; readonly atMs: number; readonly onRun: Run }) {
  const explained = useQuery(explanationQuery(query, atMs));
  return (
    <div className="why-empty" role="status">
      <p>
        <strong>{t('No results.')}</strong>
        {explained.isPending ? ` ${t('Looking why …')}` : ''}
      </p>
      <Hints hints={explained.data?.hints ?? []} onRun={onRun} />
    </div>
  );
}

export function Hints({ hints, onRun }: { readonly hints: ExplanationView['hints']; readonly onRun: Run }) {
  return (
    <ul className="plain-list">
      {hints.map(({ says, instead }) => (
        <li key={says}>
          {says}
          {instead === null ? null : (
            <div className="row-wrap">
              <code className="wrap-anywhere">{instead}</code>
              <Button size="compact-xs" variant="default" onClick={() => onRun(instead)}>
                {t('Run this')}
              </Button>
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}
