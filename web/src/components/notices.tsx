import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { ApiProblem, NOT_PERMITTED, OUTSIDE_SCOPE } from '../api/problem.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';

type EmptyProps = {
  /** One sentence that teaches. */
  readonly children: ReactNode;
  /** One button or link. */
  readonly action?: ReactNode;
  /** One command or snippet to copy. */
  readonly command?: string;
};

/** Nothing here yet: one sentence, one button, one command. */
export function EmptyState({ children, action, command }: EmptyProps) {
  return (
    <div className="empty">
      <p>{children}</p>
      {command === undefined ? null : <Command text={command} />}
      {action}
    </div>
  );
}

/** Text to copy, with the button that copies it. */
export function Command({ text }: { readonly text: string }) {
  return (
    <div className="command">
      <pre>{text}</pre>
      <button type="button" className="plain-button" onClick={() => void navigator.clipboard.writeText(text)}>
        {t('Copy')}
      </button>
    </div>
  );
}

/** The next step a reader can take, by what went wrong. */
function nextStep(error: unknown): string {
  if (!(error instanceof ApiProblem)) return t('Reload the page; if it stays, the server log says more.');
  if (error.status === 0) return t('Check that Nines is running; this page tries again by itself.');
  if (error.status === 401) return t('Sign in again.');
  if (error.status === 403) return t('Ask an administrator for the permission.');
  if (error.status === 404) return t('It may have been removed, or this address is wrong.');
  return error.status >= 500 ? t('The server log says more.') : t('Correct it and try again.');
}

/** A sentence of the server begins like a sentence. */
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The refusal of what was just typed into a form: the reason alone; where it was sent helps nobody there. */
export function RefusedNotice({ error }: { readonly error: unknown }) {
  if (!(error instanceof ApiProblem) || error.status < 400 || error.status >= 500) return <ErrorNotice error={error} />;
  return (
    <div className="notice" role="alert">
      <p>
        <strong>{`${capital(fromServer(error.reason))}.`}</strong>
      </p>
    </div>
  );
}

/** What went wrong, where, and the next step. Announced to screen readers. */
export function ErrorNotice({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) {
  if (error instanceof ApiProblem && error.code === NOT_PERMITTED)
    return <p className="soft">{`${capital(fromServer(error.message))}.`}</p>;
  // Asking again, or for a permission, changes nothing while one sees a part.
  if (error instanceof ApiProblem && error.code === OUTSIDE_SCOPE) return <p className="soft">{`${capital(fromServer(error.reason))}.`}</p>;
  const message = capital(fromServer(error instanceof Error ? error.message : String(error)));
  return (
    <div className="notice" role="alert">
      <p>
        <strong>{message}</strong>
        {error instanceof ApiProblem ? <span className="faint mono">{` ${error.where}`}</span> : null}
      </p>
      <p className="soft">{nextStep(error)}</p>
      {retry === undefined ? null : (
        <Button variant="default" size="xs" onClick={retry}>
          {t('Try again')}
        </Button>
      )}
    </div>
  );
}

type Asked = { readonly data: unknown; readonly error: Error | null; readonly refetch: () => Promise<unknown> };

/** What stands in the place of a query's data until it is there: that it is being read, or why it is not and a way to ask again. */
export function Waiting({ query, what }: { readonly query: Asked; readonly what: string }) {
  if (query.data !== undefined) return null;
  return query.error === null ? <Loading what={what} /> : <ErrorNotice error={query.error} retry={() => void query.refetch()} />;
}

/** Holds the place of what is being read; says so to screen readers, and to eyes only when it takes long. */
function Loading({ what }: { readonly what: string }) {
  return (
    <div className="loading" role="status">
      {t('Reading {what} …', { what })}
    </div>
  );
}
