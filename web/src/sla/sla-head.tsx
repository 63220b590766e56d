import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { slaQuery } from '../api/queries.ts';
import type { SlaView } from '../api/wire.ts';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { Waiting } from '../components/notices.tsx';
import { t } from '../language/t.ts';

export const nameOf = (sla: Pick<SlaView, 'id' | 'name'>): string => (sla.name === '' ? sla.id : sla.name);

type HeadProps = {
  readonly sla: SlaView;
  readonly lead?: ReactNode;
  readonly actions?: ReactNode;
};

const TABS = [
  { to: '/slas/$id', word: t('Overview') },
  { to: '/slas/$id/statements', word: t('Statements') },
  { to: '/slas/$id/exclusions', word: t('Exclusions') },
  { to: '/slas/$id/what-if', word: t('What if') },
] as const;

/** The name of an SLA and the way between its pages. */
export function SlaHead({ sla, lead, actions }: HeadProps) {
  return (
    <div>
      <header className="page-head">
        <div>
          <p className="crumb">
            <Link to="/slas">{t('SLAs')}</Link>
          </p>
          <h1 className="wrap">{nameOf(sla)}</h1>
          {lead === undefined ? null : <p className="page-lead">{lead}</p>}
        </div>
        {actions}
      </header>
      <nav className="tabs no-print" aria-label={t('Pages of this SLA')}>
        {TABS.map(({ to, word }) => (
          <Link key={to} to={to} params={{ id: sla.id }} activeOptions={{ exact: true, includeSearch: false }}>
            {word}
          </Link>
        ))}
        <ObjectMenu kind="slas" id={sla.id} />
      </nav>
    </div>
  );
}

/** A page about one SLA, once it was read. */
export function WithSla({ id, children }: { readonly id: string; readonly children: (sla: SlaView) => ReactNode }) {
  const sla = useQuery(slaQuery(id));
  return <div className="page">{sla.data === undefined ? <Waiting query={sla} what={t('the SLA')} /> : children(sla.data)}</div>;
}
