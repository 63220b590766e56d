import type { ReactNode } from 'react';
import { ApiProblem } from '../api/problem.ts';
import { ErrorNotice } from '../components/notices.tsx';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';

type Asked = { readonly isPending: boolean; readonly isError: boolean; readonly error: Error | null };

/** What is printed beside a picture: the finding, how it was made, how far it can be believed. */
export function Told({ children, facts }: { readonly children?: ReactNode; readonly facts: readonly (readonly [string, ReactNode])[] }) {
  return (
    <div className="told">
      {children}
      <dl>
        {facts.map(([name, fact]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{fact}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Why something cannot be told: the server's own words. A refusal is an answer, not a fault. */
export function NotTold({ what, reason }: { readonly what: string; readonly reason: string }) {
  return (
    <p className="empty empty-quiet not-told">
      <strong>{t('{what} cannot be told.', { what: capital(what) })}</strong>
      <span>{` ${capital(fromServer(reason))}.`}</span>
    </p>
  );
}

/** In the place of an answer: that it is being reckoned, that it is refused and why, or what went wrong. */
export function Reckoning({ query, what }: { readonly query: Asked; readonly what: string }) {
  if (query.isPending)
    return (
      <p className="loading" role="status">
        {t('Reckoning {what} …', { what })}
      </p>
    );
  if (!query.isError) return null;
  const { error } = query;
  if (error instanceof ApiProblem && error.status === 422) return <NotTold what={what} reason={error.reason} />;
  return <ErrorNotice error={error} />;
}
