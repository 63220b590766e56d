import { Button, Drawer, NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Suspense, lazy } from 'react';
import { type RuleView, rulesQuery } from '../api/rules.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { FilterInput } from '../components/filter-input.tsx';
import { Ago } from '../components/instant.tsx';
import { matchesFilter } from '../components/matches-filter.ts';
import { EmptyState, Waiting } from '../components/notices.tsx';
import { rich, t } from '../language/t.ts';
import { EMPTY_DRAFT, type RuleDraft } from '../rules/draft.ts';
import { RULE_FILTERS, type RulesSearch } from '../shell/search.ts';
import { StateMark } from '../states/state-mark.tsx';
import { RuleDrawer } from './rule-drawer.tsx';
import { durationText, groupOf, isBuiltIn, kindWord, ruleMark, shownRules } from './rule-words.ts';
import { useTitle } from './use-title.ts';

/** The editor of queries is half a page's weight: it comes when it is needed. */
const RuleForm = lazy(() => import('../rules/rule-form.tsx').then((module) => ({ default: module.RuleForm })));
const NEW: RuleDraft = { ...EMPTY_DRAFT, id: 'new_rule', expr: '', condition: '>', threshold: 0 };

const SNIPPET = `rules:
  packs: [default]
  thresholds:
    - { id: queue_long, metric: queue_length, threshold: 100, clear: 50, for: 1m }`;

const FILTER_WORDS = { troubled: t('In trouble'), firing: t('Firing'), pending: t('Pending'), waiting: t('Not evaluated yet') } as const;

/** Every rule: what it says now, when it was evaluated last, and what is wrong with it. */
export function RulesPage() {
  const search = useSearch({ from: '/shell/rules' });
  const navigate = useNavigate({ from: '/rules' });
  const query = useQuery(rulesQuery());
  const items = query.data?.items ?? [];
  const shown = shownRules(items, search.state).filter(({ id, name, query: expr, kind, place }) =>
    matchesFilter(search.q ?? '', [id, name, expr, kind, place]),
  );
  const set = (next: RulesSearch): void => void navigate({ search: next, replace: true });
  useTitle(t('Rules'));
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('Rules')}</h1>
          <p className="page-lead">{items.length === 0 ? ' ' : lead(items)}</p>
        </div>
        <div className="row-wrap">
          {items.length === 0 ? null : <Filters search={search} onSearch={set} />}
          <Button variant="default" onClick={() => set({ ...search, new: 1 })}>
            {t('Write a rule')}
          </Button>
        </div>
      </header>
      <Waiting query={query} what={t('rules')} />
      {query.data !== undefined && items.length === 0 ? (
        <EmptyState command={SNIPPET}>
          {rich('There are no rules. Write one here, or switch a pack on in <code>nines.yml</code>.', {
            code: (inner) => <code>{inner}</code>,
          })}
        </EmptyState>
      ) : null}
      {items.length > 0 && shown.length === 0 ? <p className="empty">{t('No rule matches these filters.')}</p> : null}
      {shown.length === 0 ? null : (
        <div className="panel">
          <DataTable
            caption={t('Rules')}
            columns={columns((id) => void navigate({ search: { ...search, rule: id } }))}
            rows={shown}
            rowKey={({ id }) => id}
            onRowClick={({ id }) => void navigate({ search: { ...search, rule: id } })}
          />
        </div>
      )}
      <Drawer
        opened={search.new === 1}
        onClose={() => void navigate({ search: ({ new: _closed, ...rest }) => rest })}
        title={t('A new rule')}
        size="xl"
        closeButtonProps={{ 'aria-label': t('Close') }}
      >
        <Suspense fallback={null}>
          <RuleForm initial={NEW} onSaved={({ id }) => void navigate({ search: ({ new: _closed, ...rest }) => ({ ...rest, rule: id }) })} />
        </Suspense>
      </Drawer>
      <RuleDrawer
        rule={items.find(({ id }) => id === search.rule)}
        editing={search.edit === 1}
        onEditing={(editing) => void navigate({ search: ({ edit: _before, ...rest }) => (editing ? { ...rest, edit: 1 } : rest) })}
        onSaved={(id) => void navigate({ search: ({ edit: _before, ...rest }) => ({ ...rest, rule: id }) })}
        onClose={() => void navigate({ search: ({ rule: _closed, edit: _edited, ...rest }) => rest })}
      />
    </div>
  );
}

function lead(items: readonly RuleView[]): string {
  const count = (state: RuleView['state']): number => items.filter((rule) => rule.state === state).length;
  const failing = items.filter(({ health }) => health === 'err').length;
  const words = [
    failing === 0 ? t('all work') : t('{failing, plural, one {# does} other {# do}} not work', { failing }),
    ...(count('firing') === 0 ? [] : [t('{count} firing', { count: count('firing') })]),
    ...(count('pending') === 0 ? [] : [t('{count} pending', { count: count('pending') })]),
  ];
  return t('{count, plural, one {# rule} other {# rules}}: {words}.', { count: items.length, words: words.join(', ') });
}

const columns = (open: (id: string) => void): readonly Column<RuleView>[] => [
  {
    id: 'name',
    header: t('Rule'),
    cell: ({ id, name }) => (
      <button type="button" className="plain-button row-name" data-row="" onClick={() => open(id)}>
        {name}
      </button>
    ),
  },
  {
    id: 'state',
    header: t('State'),
    label: t('state'),
    cell: (rule) => {
      const { mark, word } = ruleMark(rule);
      return <StateMark state={mark} word={word} />;
    },
  },
  { id: 'kind', header: t('Kind'), label: t('kind'), cell: ({ kind }) => kindWord(kind) },
  { id: 'group', header: t('From||rule'), label: t('from||rule'), cell: (rule) => <span className="faint">{groupOf(rule)}</span> },
  {
    id: 'evaluated',
    header: t('Evaluated'),
    label: t('evaluated'),
    cell: ({ evaluated_at_ms: atMs, kind }) =>
      atMs === null ? <span className="faint nowrap">{isBuiltIn(kind) ? t('at events') : t('never')}</span> : <Ago atMs={atMs} />,
  },
  { id: 'took', header: t('Took'), label: t('took'), numeric: true, cell: (rule) => durationText(rule) },
  {
    id: 'query',
    header: t('Reads'),
    cell: ({ last_error: error, query }) => (
      <span className={error === '' ? 'mono faint rule-reads' : 'rule-reads'}>{error === '' ? query : error}</span>
    ),
  },
];

function Filters({ search, onSearch }: { readonly search: RulesSearch; readonly onSearch: (search: RulesSearch) => void }) {
  const { rule: _closed, ...rest } = search;
  return (
    <div className="filters no-print">
      <NativeSelect
        size="xs"
        aria-label={t('State')}
        data={[{ value: '', label: t('Any state') }, ...RULE_FILTERS.map((value) => ({ value, label: FILTER_WORDS[value] }))]}
        value={search.state ?? ''}
        onChange={(event) => {
          const state = RULE_FILTERS.find((one) => one === event.currentTarget.value);
          const { state: _before, ...others } = rest;
          onSearch(state === undefined ? others : { ...others, state });
        }}
      />
      <FilterInput
        what={t('rules')}
        value={search.q ?? ''}
        onChange={(q) => {
          const { q: _before, ...others } = rest;
          onSearch(q === '' ? others : { ...others, q });
        }}
      />
    </div>
  );
}
