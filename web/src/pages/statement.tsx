import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { issuedQuery, reportQuery, statementQuery } from '../api/sla-queries.ts';
import type { IssuedView, SignedStatement } from '../api/wire.ts';
import { Instant } from '../components/instant.tsx';
import { RefusedNotice, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t, rich } from '../language/t.ts';
import { Downloads } from '../sla/downloads.tsx';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { periodText } from '../sla/issued-table.tsx';
import { StatementBody } from '../sla/statement-body.tsx';
import { StatementDiff } from '../sla/statement-diff.tsx';
import { periodFields } from '../sla/what-if-search.ts';
import { useTitle } from './use-title.ts';

/** A statement that was issued, with its revisions; beside the one before where the address says so. */
export function IssuedStatementPage() {
  const { id } = useParams({ from: '/shell/statements/$id' });
  const statement = useQuery(statementQuery(id));
  return (
    <div className="page">
      {statement.data === undefined ? (
        <Waiting query={statement} what={t('the statement')} />
      ) : (
        <Issued id={id} statement={statement.data} />
      )}
    </div>
  );
}

function Issued({ id, statement }: { readonly id: string; readonly statement: SignedStatement }) {
  const { compare } = useSearch({ from: '/shell/statements/$id' });
  const issued = useQuery(issuedQuery({ sla: statement.id }));
  const { period } = statement;
  const siblings = (issued.data?.items ?? []).filter(
    (one) =>
      one.from_at_ms === period.from_at_ms &&
      one.to_at_ms === period.to_at_ms &&
      one.zone === statement.calendar.zone &&
      one.customer === (statement.customer?.id ?? null),
  );
  const before = siblings.find(({ revision }) => revision === (statement.revision?.number ?? 0) - 1);
  return (
    <>
      <Head
        statement={statement}
        path={`/api/statements/${encodeURIComponent(id)}`}
        fields={{}}
        menu={<ObjectMenu kind="statements" id={id} history={false} />}
      />
      {siblings.length < 2 ? null : <Revisions siblings={siblings} current={id} />}
      {compare === 1 && before !== undefined ? <StatementDiff before={before} after={statement} /> : null}
      <StatementBody statement={statement} />
    </>
  );
}

function Revisions({ siblings, current }: { readonly siblings: readonly IssuedView[]; readonly current: string }) {
  return (
    <Section title={t('Revisions of this period')}>
      <ol className="panel panel-pad stack" aria-label={t('Revisions')}>
        {siblings.map((one) => (
          <li key={one.id}>
            <Link to="/statements/$id" params={{ id: one.id }} aria-current={one.id === current ? 'page' : undefined}>
              {t('Revision {number}', { number: one.revision })}
            </Link>
            {one.id === current ? ` (${t('this one')})` : ''}
            <span className="soft">
              {', '}
              {rich('issued {at} by {name}', { at: <Instant atMs={one.issued_at_ms} relative={false} />, name: one.issued_by })}
              {one.why.length === 0 ? '' : `: ${one.why.join('; ')}`}
            </span>
            {one.revision === 1 ? null : (
              <>
                {' · '}
                <Link to="/statements/$id" params={{ id: one.id }} search={{ compare: 1 }}>
                  {t('Beside revision {number}', { number: one.revision - 1 })}
                </Link>
              </>
            )}
          </li>
        ))}
      </ol>
    </Section>
  );
}

/** The statement of any period, perhaps provisional and never issued. */
export function PeriodStatementPage() {
  const { id } = useParams({ from: '/shell/slas/$id/statement' });
  const search = useSearch({ from: '/shell/slas/$id/statement' });
  const fields = { ...periodFields(search), customer: search.customer };
  const report = useQuery(reportQuery(id, fields));
  return (
    <div className="page">
      {report.isError ? <RefusedNotice error={report.error} /> : null}
      {report.isPending ? <Waiting query={report} what={t('the statement')} /> : null}
      {report.data === undefined ? null : (
        <>
          <Head statement={report.data} path={`/api/slas/${encodeURIComponent(id)}/report`} fields={fields} />
          <StatementBody statement={report.data} />
        </>
      )}
    </div>
  );
}

type HeadProps = {
  readonly statement: SignedStatement;
  readonly path: string;
  readonly fields: Readonly<Record<string, string | undefined>>;
  readonly menu?: ReactNode;
};

function Head({ statement, path, fields, menu }: HeadProps) {
  const { period, calendar } = statement;
  const name = statement.name === '' ? statement.id : statement.name;
  const when = periodText({ period: calendar.name, zone: calendar.zone, ...period });
  useTitle(`${name}, ${when}`);
  const number = statement.revision?.number;
  const kind =
    statement.finality === 'provisional'
      ? t('provisional, the period is not over')
      : number === undefined
        ? t('final, not issued')
        : t('issued, revision {number}', { number });
  return (
    <header className="page-head">
      <div>
        <p className="crumb">
          <Link to="/slas">{t('SLAs')}</Link>
          {' / '}
          <Link to="/slas/$id/statements" params={{ id: statement.id }}>
            {name}
          </Link>
        </p>
        <h1 className="wrap">{`${name}, ${when}`}</h1>
        <p className="page-lead">
          {statement.customer === null
            ? t('Statement: {kind}.', { kind })
            : t('Statement for {customer}: {kind}.', { customer: statement.customer.name, kind })}{' '}
          {menu}
        </p>
      </div>
      <Downloads path={path} fields={fields} />
    </header>
  );
}
