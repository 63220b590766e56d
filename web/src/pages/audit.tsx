import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { objectIn, objectText } from '../api/audit-object.ts';
import { type AuditVerdict, auditActorsQuery, auditQuery, exportAddress, useVerifyAudit } from '../api/audit.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { EmptyState, ErrorNotice, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t, rich } from '../language/t.ts';
import { type AuditSearch, auditSearch } from '../shell/search.ts';
import { useRefusal } from '../shell/session.tsx';
import { type AuditRow, differencesOf, joined, outcomeOf } from './audit-rows.ts';
import { SettingsHead } from './settings-head.tsx';

const FROM = '/shell/settings/audit';

/** Who did what, newest first: filtered, opened, examined, taken along. */
export function AuditPage() {
  const refusal = useRefusal('administer', 'audit');
  if (refusal === undefined) return <Log />;
  return (
    <div className="page">
      <SettingsHead title={t('Audit log')} lead={t('Who did what, when and from where. It {refusal}.', { refusal })} />
    </div>
  );
}

function Log() {
  const search = useSearch({ from: FROM });
  const log = useInfiniteQuery(auditQuery(search));
  const rows = joined(log.data?.pages.flatMap(({ items }) => items) ?? []);
  const open =
    search.entry === undefined ? undefined : rows.find(({ entry, answered }) => [entry.seq, answered?.seq].includes(search.entry));
  const isFiltered = Object.keys(search).some((key) => key !== 'entry' && key !== 'kiosk');
  return (
    <div className="page">
      <SettingsHead title={t('Audit log')} lead={t('Who did what, when and from where, in a chain that shows any edit. Newest first.')}>
        <Verify />
      </SettingsHead>
      <Filters key={JSON.stringify(search)} search={search} />
      <div className="row-wrap">
        <Button variant="default" onClick={() => void log.refetch()} loading={log.isRefetching}>
          {t('Look again')}
        </Button>
        <a href={exportAddress(search, 'csv')} download="audit.csv">
          {t('Export as CSV')}
        </a>
        <a href={exportAddress(search, 'json')} download="audit.jsonl">
          {t('Export as JSON lines, with the digests')}
        </a>
      </div>
      <Waiting query={log} what={t('entries')} />
      {open === undefined ? null : <Detail row={open} />}
      {log.data !== undefined && rows.length === 0 ? <Nothing search={search} isFiltered={isFiltered} /> : null}
      {rows.length === 0 ? null : (
        <div className="panel">
          <DataTable caption={t('Audit log')} columns={COLUMNS} rows={rows} rowKey={({ entry }) => String(entry.seq)} />
        </div>
      )}
      {log.hasNextPage ? (
        <Button variant="default" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
          {t('Older entries')}
        </Button>
      ) : null}
    </div>
  );
}

/** Why there is nothing, and where else to look. */
function Nothing({ search: { object }, isFiltered }: { readonly search: AuditSearch; readonly isFiltered: boolean }) {
  if (!isFiltered) return <EmptyState>{t('Nothing was changed yet. Every change and every sensitive read will stand here.')}</EmptyState>;
  if (object === undefined || objectIn(object).id === null) return <EmptyState>{t('No entry is like this.')}</EmptyState>;
  return (
    <EmptyState>
      {rich('Nobody changed {object} through Nines. What the configuration file declares is changed there: <a>its versions</a>.', {
        object,
        a: (inner) => <Link to="/settings/configuration">{inner}</Link>,
      })}
    </EmptyState>
  );
}

function Verify() {
  const verify = useVerifyAudit();
  return (
    <div>
      <Button variant="default" loading={verify.isPending} onClick={() => verify.mutate()}>
        {t('Examine the whole log')}
      </Button>
      {verify.isError ? <ErrorNotice error={verify.error} /> : null}
      {verify.data === undefined ? null : <p role="status">{verdictWords(verify.data)}</p>}
    </div>
  );
}

function verdictWords({ fault, entries, from_seq, to_seq, anchors }: AuditVerdict): string {
  if (fault !== null)
    return t('✗ Broken: {detail} ({problem}). Keep a copy of the data directory and compare it with a backup.', {
      detail: fault.detail,
      problem: fault.problem,
    });
  return entries === 0
    ? t('✓ Whole: nothing was written yet.')
    : t('✓ Whole: {entries} entries, {from} to {to}, {anchors, plural, one {# anchor} other {# anchors}}.', {
        entries,
        from: String(from_seq),
        to: String(to_seq),
        anchors,
      });
}

const PHASES = [
  { value: '', label: t('Everything') },
  { value: 'asked', label: t('Requests') },
  { value: 'done', label: t('Done by the product') },
  { value: 'read', label: t('Sensitive reads') },
];

/** An instant as the field for local times writes it. */
const localText = (atMs: number | undefined): string =>
  atMs === undefined ? '' : new Date(atMs - new Date(atMs).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
const instantOf = (text: string): number | undefined => (text === '' ? undefined : new Date(text).getTime());

function Filters({ search }: { readonly search: AuditSearch }) {
  const navigate = useNavigate({ from: '/settings/audit' });
  const actors = useQuery(auditActorsQuery());
  const [action, setAction] = useState(search.action ?? '');
  const [object, setObject] = useState(search.object ?? '');
  const go = (change: { readonly [Key in keyof AuditSearch]?: AuditSearch[Key] | undefined }) =>
    void navigate({ search: auditSearch({ ...search, entry: undefined, ...change }), replace: true });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    go({ action: action || undefined, object: object || undefined });
  };
  const who = (actors.data?.items ?? []).map(({ id, name, kind }) => ({ value: id, label: `${name === '' ? id : name} (${kind})` }));
  return (
    <form className="row-wrap" style={{ alignItems: 'flex-end' }} onSubmit={submit}>
      <NativeSelect
        label={t('Who')}
        data={[{ value: '', label: t('Everybody') }, ...who.filter(({ value }) => value !== '')]}
        value={search.actor ?? ''}
        onChange={(event) => go({ actor: event.currentTarget.value || undefined })}
      />
      <NativeSelect
        label={t('What kind')}
        data={PHASES}
        value={search.phase ?? ''}
        onChange={(event) => go({ phase: (event.currentTarget.value || undefined) as AuditSearch['phase'] })}
      />
      <TextInput
        label={t('Action')}
        placeholder="POST /api/silences"
        value={action}
        onChange={(event) => setAction(event.currentTarget.value)}
      />
      <TextInput label={t('Object')} placeholder="silences/7" value={object} onChange={(event) => setObject(event.currentTarget.value)} />
      <TextInput
        label={t('From')}
        type="datetime-local"
        value={localText(search.from)}
        onChange={(event) => go({ from: instantOf(event.currentTarget.value) })}
      />
      <TextInput
        label={t('To')}
        type="datetime-local"
        value={localText(search.to)}
        onChange={(event) => go({ to: instantOf(event.currentTarget.value) })}
      />
      <Button type="submit" variant="default">
        {t('Filter')}
      </Button>
    </form>
  );
}

const nameOf = ({ entry: { actor, erased } }: AuditRow): string =>
  actor.name !== ''
    ? actor.name
    : erased && actor.kind === 'user'
      ? t('erased person {actor}', { actor: actor.id.slice(0, 8) })
      : actor.id || t('nobody known');
const objectOf = ({ entry, answered }: AuditRow): string =>
  objectText({ kind: entry.object.kind, id: entry.object.id ?? answered?.object.id ?? null });

const COLUMNS: readonly Column<AuditRow>[] = [
  { id: 'at', header: t('When'), cell: ({ entry }) => <Instant atMs={entry.at_ms} relative={false} /> },
  { id: 'who', header: t('Who'), label: t('who'), cell: (row) => <span className="row-name">{nameOf(row)}</span> },
  {
    id: 'action',
    header: t('Did'),
    label: t('did'),
    cell: ({ entry }) => (
      <Link from="/settings/audit" to="/settings/audit" search={(before) => ({ ...before, entry: entry.seq })} resetScroll={false}>
        {entry.action}
      </Link>
    ),
  },
  {
    id: 'object',
    header: t('To what'),
    label: t('to what'),
    cell: (row) => (
      <Link from="/settings/audit" to="/settings/audit" search={{ object: objectOf(row) }}>
        {objectOf(row).replace(/\/$/, '')}
      </Link>
    ),
  },
  { id: 'address', header: t('From'), label: t('from'), cell: ({ entry }) => entry.address ?? '' },
  { id: 'outcome', header: t('Outcome'), label: t('outcome'), cell: (row) => outcomeOf(row) },
];

/** One entry: what was asked, and what it was before and is after. */
function Detail({ row }: { readonly row: AuditRow }) {
  const { entry, answered } = row;
  const before = entry.before ?? null;
  const after = answered?.after ?? entry.after ?? null;
  const differences = differencesOf(before, after);
  return (
    <Section title={t('Entry {number}: {action}', { number: entry.seq, action: entry.action })} aside={outcomeOf(row)}>
      <p className="faint">
        {`${nameOf(row)}, ${entry.actor.role}${entry.address === null ? '' : `, ${t('from {address}', { address: entry.address })}`}; ${objectOf(row)}`}
        {entry.request_id === null ? '' : `; ${t('request {id}', { id: entry.request_id })}`}
      </p>
      {entry.erased || answered?.erased === true ? (
        <p>{t('Part of it was about a person who was erased and can be read by nobody.')}</p>
      ) : null}
      {entry.asked === null ? null : <pre>{JSON.stringify(entry.asked, null, 2)}</pre>}
      {differences.length === 0 ? (
        <p className="faint">{t('Nothing is known to differ.')}</p>
      ) : (
        <div className="panel">
          <DataTable caption={t('Before and after')} columns={DIFFERENCES} rows={differences} rowKey={({ path }) => path} />
        </div>
      )}
    </Section>
  );
}

/** Values may be long words; the table does not become wider for them. */
const WRAPPED = { overflowWrap: 'anywhere' } as const;
type Difference = ReturnType<typeof differencesOf>[number];
export const DIFFERENCES: readonly Column<Difference>[] = [
  { id: 'path', header: t('Key'), cell: ({ path }) => <code>{path === '' ? t('whole') : path}</code> },
  {
    id: 'before',
    header: t('Before'),
    label: t('before'),
    cell: ({ before }) => (before === '' ? <span className="faint">{t('nothing')}</span> : <del style={WRAPPED}>{before}</del>),
  },
  {
    id: 'after',
    header: t('After'),
    label: t('after'),
    cell: ({ after }) => (after === '' ? <span className="faint">{t('nothing')}</span> : <ins style={WRAPPED}>{after}</ins>),
  },
];
