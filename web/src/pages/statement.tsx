import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { issuedQuery, reportQuery, statementQuery } from '../api/sla-queries.ts';
import type { IssuedView, SignedStatement } from '../api/wire.ts';
import { Instant } from '../components/instant.tsx';
import { RefusedNotice, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { Downloads } from '../sla/downloads.tsx';
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
      {statement.data === undefined ? <Waiting query={statement} what="the statement" /> : <Issued id={id} statement={statement.data} />}
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
      <Head statement={statement} path={`/api/statements/${encodeURIComponent(id)}`} fields={{}} />
      {siblings.length < 2 ? null : <Revisions siblings={siblings} current={id} />}
      {compare === 1 && before !== undefined ? <StatementDiff before={before} after={statement} /> : null}
      <StatementBody statement={statement} />
    </>
  );
}

function Revisions({ siblings, current }: { readonly siblings: readonly IssuedView[]; readonly current: string }) {
  return (
    <Section title="Revisions of this period">
      <ol className="panel panel-pad stack" aria-label="Revisions">
        {siblings.map((one) => (
          <li key={one.id}>
            <Link to="/statements/$id" params={{ id: one.id }} aria-current={one.id === current ? 'page' : undefined}>
              {`Revision ${one.revision}`}
            </Link>
            {one.id === current ? ' (this one)' : ''}
            <span className="soft">
              {', issued '}
              <Instant atMs={one.issued_at_ms} relative={false} />
              {` by ${one.issued_by}`}
              {one.why.length === 0 ? '' : `: ${one.why.join('; ')}`}
            </span>
            {one.revision === 1 ? null : (
              <>
                {' · '}
                <Link to="/statements/$id" params={{ id: one.id }} search={{ compare: 1 }}>
                  {`Beside revision ${one.revision - 1}`}
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
      {report.isPending ? <Waiting query={report} what="the statement" /> : null}
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
};

function Head({ statement, path, fields }: HeadProps) {
  const { period, calendar } = statement;
  const name = statement.name === '' ? statement.id : statement.name;
  const when = periodText({ period: calendar.name, zone: calendar.zone, ...period });
  useTitle(`${name}, ${when}`);
  const number = statement.revision?.number;
  const kind =
    statement.finality === 'provisional'
      ? 'provisional, the period is not over'
      : number === undefined
        ? 'final, not issued'
        : `issued, revision ${number}`;
  return (
    <header className="page-head">
      <div>
        <p className="crumb">
          <Link to="/slas">SLAs</Link>
          {' / '}
          <Link to="/slas/$id/statements" params={{ id: statement.id }}>
            {name}
          </Link>
        </p>
        <h1 className="wrap">{`${name}, ${when}`}</h1>
        <p className="page-lead">{`Statement${statement.customer === null ? '' : ` for ${statement.customer.name}`}: ${kind}.`}</p>
      </div>
      <Downloads path={path} fields={fields} />
    </header>
  );
}
