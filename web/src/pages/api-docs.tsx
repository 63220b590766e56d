import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type Operation, type Parameter, apiBookQuery, operationsOf } from '../api/api-book.ts';
import { FilterInput } from '../components/filter-input.tsx';
import { matchesFilter } from '../components/matches-filter.ts';
import { Command, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { t, rich } from '../language/t.ts';
import { phrase } from '../states/words.ts';
import { apiDocsSearch } from '../shell/search.ts';
import { type Schema, boundsText, schemaText } from './schema-text.ts';
import { useTitle } from './use-title.ts';

const nameOf = ({ method, path }: Operation): string => `${method} ${path}`;

/** Every address of the API, as the server itself describes it. */
export function ApiDocsPage() {
  useTitle(t('API reference'));
  const search = useSearch({ from: '/shell/api/docs' });
  const { q = '', op } = search;
  const navigate = useNavigate({ from: '/api/docs' });
  const book = useQuery(apiBookQuery());
  const all = book.data === undefined ? [] : operationsOf(book.data);
  const shown = all.filter((one) => matchesFilter(q, [nameOf(one), one.summary ?? '', ...one.tags]));
  const tags = [...new Set(shown.flatMap(({ tags: [tag = 'other'] }) => tag))].sort();
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('API reference')}</h1>
          <p className="page-lead">
            {book.data === undefined
              ? ''
              : `${t('{count} operations of Nines {version}.', { count: all.length, version: book.data.info.version })} `}
            {rich('Errors are problem+json, times Unix milliseconds in fields that end in <code>_at_ms</code>.', {
              code: (inner) => <code>{inner}</code>,
            })}{' '}
            <a href="/api/openapi.json">OpenAPI 3.1</a>
          </p>
        </div>
        <FilterInput
          what={t('operations')}
          value={q}
          onChange={(next) => void navigate({ search: apiDocsSearch({ ...search, q: next }), replace: true })}
        />
      </header>
      <Waiting query={book} what={t('the API')} />
      {all.length > 0 && shown.length === 0 ? <p className="empty">{t('No operation matches “{q}”.', { q })}</p> : null}
      {tags.map((tag) => (
        <Section key={tag} title={phrase(tag)}>
          <ul className="operations panel" aria-label={tag}>
            {shown
              .filter(({ tags: [first = 'other'] }) => first === tag)
              .map((one) => (
                <Entry key={nameOf(one)} operation={one} isOpen={nameOf(one) === op} />
              ))}
          </ul>
        </Section>
      ))}
    </div>
  );
}

function Entry({ operation, isOpen }: { readonly operation: Operation; readonly isOpen: boolean }) {
  const { method, path, summary = '' } = operation;
  return (
    <li>
      <Link
        from="/api/docs"
        to="/api/docs"
        search={({ op: _before, ...rest }) => (isOpen ? rest : { ...rest, op: nameOf(operation) })}
        resetScroll={false}
        replace
        aria-expanded={isOpen}
        className="operation"
      >
        <code className="operation-method">{method}</code> <code className="wrap-anywhere">{path}</code>{' '}
        <span className="soft">{summary}</span>
      </Link>
      {isOpen ? <Details operation={operation} /> : null}
    </li>
  );
}

function Details({ operation }: { readonly operation: Operation }) {
  const { description, parameters, requestBody, responses } = operation;
  const body = requestBody?.content['application/json']?.schema;
  const answers = Object.entries(responses).filter(([status]) => status !== 'default');
  return (
    <div className="operation-body">
      <p className="faint">{needsOf(operation)}</p>
      {description === undefined ? null : <p>{description}</p>}
      {parameters.length === 0 ? null : (
        <DataTable caption={t('Parameters')} columns={COLUMNS} rows={parameters} rowKey={({ name, in: place }) => `${place} ${name}`} />
      )}
      {body === undefined ? null : <Shape title={t('Takes')} schema={body} />}
      {answers.map(([status, answer]) => {
        const schema = answer.content?.['application/json']?.schema;
        return schema === undefined ? (
          <p key={status} className="faint">
            {t('Answers {status}.', { status })}
          </p>
        ) : (
          <Shape key={status} title={t('Answers {status}', { status })} schema={schema} />
        );
      })}
      <Command text={curlOf(operation)} />
    </div>
  );
}

function needsOf({ 'x-permission': permission, 'x-step-up': stepUp }: Operation): string {
  const needs = permission === 'public' ? t('Needs no credential.') : t('Needs the permission to {permission}.', { permission });
  return stepUp === true ? t('{needs} In a browser it asks for a fresh proof of who you are.', { needs }) : needs;
}

function curlOf({ method, path, parameters, requestBody, 'x-permission': permission }: Operation): string {
  const needed = parameters.filter((one) => one.in === 'query' && one.required).map(({ name }) => `${name}=…`);
  const parts = [
    'curl',
    ...(method === 'GET' ? [] : [`-X ${method}`]),
    ...(permission === 'public' ? [] : [`-H "Authorization: Bearer $NINES_TOKEN"`]),
    ...(requestBody === undefined ? [] : [`-H 'Content-Type: application/json' -d '{ … }'`]),
    `'${window.location.origin}${path}${needed.length === 0 ? '' : `?${needed.join('&')}`}'`,
  ];
  return parts.join(' ');
}

function Shape({ title, schema }: { readonly title: string; readonly schema: Schema }) {
  return (
    <div>
      <h3>{title}</h3>
      <pre className="shape" tabIndex={0} aria-label={title}>
        {schemaText(schema)}
      </pre>
    </div>
  );
}

const COLUMNS: readonly Column<Parameter>[] = [
  { id: 'name', header: t('Parameter'), cell: ({ name, required }) => <code>{required ? name : `${name}?`}</code> },
  { id: 'in', header: t('In'), label: t('in'), cell: (one) => one.in },
  {
    id: 'type',
    header: t('Is'),
    cell: ({ schema }) => (
      <>
        <code className="wrap-anywhere">{schemaText(schema)}</code> <span className="faint">{boundsText(schema)}</span>
      </>
    ),
  },
];
