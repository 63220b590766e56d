import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { t } from '../language/t.ts';
import { useTitle } from './use-title.ts';

type Props = { readonly title: string; readonly lead: string; readonly children?: ReactNode };

/** The head of a page below the settings, with the way back to their list; `children` stand at its end. */
export function SettingsHead({ title, lead, children }: Props) {
  useTitle(title);
  return (
    <header className="page-head">
      <div>
        <p className="crumb">
          <Link to="/settings">{t('Settings')}</Link>
        </p>
        <h1>{title}</h1>
        <p className="page-lead">{lead}</p>
      </div>
      {children}
    </header>
  );
}
