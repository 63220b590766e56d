import { Link } from '@tanstack/react-router';
import type { AreaName } from '../api/wire.ts';
import { useTitle } from '../pages/use-title.ts';
import { useRefusal, useSession } from './session.tsx';
import { t } from '../language/t.ts';

/** In the place of a page that the reader's role does not include: what it needs, and where to go instead. */
export function NotPermitted({ word, area }: { readonly word: string; readonly area: AreaName }) {
  useTitle(word);
  const reason = useRefusal('read', area);
  const { landing } = useSession();
  return (
    <div className="page">
      <header className="page-head">
        <h1>{word}</h1>
      </header>
      <div className="empty">
        <p>
          {reason === undefined ? t('This page is not yours.') : t('This page {reason}.', { reason })}{' '}
          {t('Whoever administers this server can give you a role that has it.')}
        </p>
        <Link to={landing as '/'}>{t('Go to your first page')}</Link>
      </div>
    </div>
  );
}
