import { Autocomplete, Button, NativeSelect, SegmentedControl, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useEffect, useMemo, useState } from 'react';
import { type FamilyWire, aliasesQuery, labelsQuery, metadataQuery, metricNamesQuery } from '../api/analytics.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { t } from '../language/t.ts';
import { type Selector, completions, selectorOf, selectorText } from './completion.ts';
import { AHEADS, type AnalyticsSearch, type SearchChange, METHODS, SENSITIVITIES, STEPS, WINDOWS, questionOf } from './search.ts';
import { METHOD_NAMES } from './words.ts';

type Props = { readonly search: AnalyticsSearch; readonly onSearch: (change: SearchChange) => void };

const MOST_OPTIONS = 12;
const MOST_LABELS = 6;
const MOST_VALUES = 200;
const MOST_LISTED = 300;

/** Which series, how far back and ahead, and how unusual values are found. The address holds it all. */
export function SeriesForm({ search, onSearch }: Props) {
  const { q = '' } = search;
  const [typed, setTyped] = useState(q);
  const [browsing, setBrowsing] = useState(false);
  useEffect(() => setTyped(q), [q]);
  const pick = (expr: string) => {
    setTyped(expr);
    onSearch({ q: expr.trim() });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    pick(typed);
  };
  return (
    <div className="panel panel-pad series-form">
      <form className="series-ask" onSubmit={submit}>
        <Expression
          label={t('Metric, glob or PromQL')}
          placeholder="system.memory.percent, node_* or rate(http_requests_total[5m])"
          typed={typed}
          onTyped={setTyped}
          onPick={pick}
        />
        <Button type="submit">{t('Look')}</Button>
        <Button variant="default" aria-expanded={browsing} onClick={() => setBrowsing(!browsing)}>
          {t('Browse')}
        </Button>
      </form>
      {browsing ? <Browser onPick={pick} /> : null}
      <LabelFilters q={q} onPick={pick} />
      <How search={search} onSearch={onSearch} />
    </div>
  );
}

type ExpressionProps = {
  readonly label: string;
  readonly placeholder: string;
  readonly typed: string;
  readonly onTyped: (expr: string) => void;
  readonly onPick: (expr: string) => void;
};

/** A field for PromQL that knows the metrics there are. */
export function Expression({ label, placeholder, typed, onTyped, onPick }: ExpressionProps) {
  const names = useQuery(metricNamesQuery());
  const aliases = useQuery(aliasesQuery());
  const metadata = useQuery(metadataQuery());
  const all = useMemo(
    () => [...new Set([...(aliases.data?.items ?? []).map(({ name }) => name), ...(names.data ?? [])])],
    [aliases.data, names.data],
  );
  const options = completions(typed, all, MOST_OPTIONS);
  const helpOf = (name: string): string =>
    aliases.data?.items.find((alias) => alias.name === name)?.help ?? metadata.data?.[name]?.[0]?.help ?? '';
  return (
    <Autocomplete
      className="series-expr"
      label={label}
      placeholder={placeholder}
      value={typed}
      onChange={onTyped}
      onOptionSubmit={onPick}
      data={[...options]}
      filter={({ options: shown }) => shown}
      renderOption={({ option }) => (
        <span className="series-option">
          <span className="mono">{option.value}</span>
          <span className="faint">{helpOf(option.value)}</span>
        </span>
      )}
      spellCheck={false}
      autoCapitalize="none"
    />
  );
}

/** One choice per label that tells the series of a plain selector apart. */
function LabelFilters({ q, onPick }: { readonly q: string; readonly onPick: (expr: string) => void }) {
  const selector = selectorOf(q);
  const found = useQuery({ ...labelsQuery(selector?.metric ?? ''), enabled: selector !== undefined });
  if (selector === undefined || found.data === undefined) return null;
  const telling = [...found.data].filter(([name, values]) => values.length > 1 || selector.labels[name] !== undefined);
  if (telling.length === 0) return null;
  return (
    <div className="series-how">
      {telling.slice(0, MOST_LABELS).map(([name, values]) => (
        <NativeSelect
          key={name}
          size="xs"
          label={name}
          data={[{ value: '', label: t('any of {count}||values', { count: values.length }) }, ...values.slice(0, MOST_VALUES)]}
          value={selector.labels[name] ?? ''}
          onChange={({ currentTarget: { value } }) => onPick(selectorText(narrowed(selector, name, value)))}
        />
      ))}
    </div>
  );
}

function narrowed({ metric, labels }: Selector, name: string, value: string): Selector {
  const { [name]: _, ...others } = labels;
  return { metric, labels: value === '' ? others : { ...others, [name]: value } };
}

const LENGTHS: Readonly<Record<string, string>> = {
  '1m': '1 min',
  '5m': '5 min',
  '15m': '15 min',
  '1h': '1 h',
  '6h': '6 h',
  '1d': t('1 day'),
  '24h': '24 h',
  '7d': t('7 days'),
  '30d': t('30 days'),
  '90d': t('90 days'),
};
const choice = (value: string) => ({ value, label: LENGTHS[value] ?? value });
const find = <T extends string | number>(all: readonly T[], value: string): T | undefined => all.find((one) => String(one) === value);

function How({ search, onSearch }: Props) {
  const { window, ahead, method, sensitivity } = questionOf(search);
  return (
    <div className="series-how">
      <div>
        <span className="label">{t('Looks back')}</span>
        <SegmentedControl
          size="xs"
          aria-label={t('How far back')}
          data={WINDOWS.map(choice)}
          value={window}
          onChange={(value) => onSearch({ window: find(WINDOWS, value), ahead: undefined, step: undefined, at: undefined })}
        />
      </div>
      <NativeSelect
        size="xs"
        label={t('Resolution')}
        data={[{ value: '', label: t('by the range') }, ...STEPS.map(choice)]}
        value={search.step ?? ''}
        onChange={({ currentTarget: { value } }) => onSearch({ step: find(STEPS, value), at: undefined })}
      />
      <NativeSelect
        size="xs"
        label={t('Looks ahead')}
        data={AHEADS.map(choice)}
        value={ahead}
        onChange={({ currentTarget: { value } }) => onSearch({ ahead: find(AHEADS, value) })}
      />
      <NativeSelect
        size="xs"
        label={t('Unusual by')}
        data={METHODS.map((value) => ({ value, label: METHOD_NAMES[value] ?? value }))}
        value={method}
        onChange={({ currentTarget: { value } }) => onSearch({ method: find(METHODS, value), at: undefined })}
      />
      <NativeSelect
        size="xs"
        label={t('From a score of')}
        data={SENSITIVITIES.map(String)}
        value={String(sensitivity)}
        onChange={({ currentTarget: { value } }) => onSearch({ sensitivity: find(SENSITIVITIES, value), at: undefined })}
      />
    </div>
  );
}

type Listed = { readonly name: string; readonly type: string; readonly help: string };

/** Every metric there is, by type and words. */
function Browser({ onPick }: { readonly onPick: (expr: string) => void }) {
  const names = useQuery(metricNamesQuery());
  const metadata = useQuery(metadataQuery());
  const aliases = useQuery(aliasesQuery());
  const [filter, setFilter] = useState('');
  const [type, setType] = useState('');
  const listed = useMemo(
    () => [
      ...(aliases.data?.items ?? []).map(({ name, help }): Listed => ({ name, type: 'named figure', help })),
      ...(names.data ?? []).map((name): Listed => ({ name, ...describedBy(name, metadata.data ?? {}) })),
    ],
    [aliases.data, names.data, metadata.data],
  );
  const types = [...new Set(listed.map((one) => one.type))].sort();
  const words = filter.toLowerCase().split(/\s+/);
  const shown = listed.filter(
    (one) => (type === '' || one.type === type) && words.every((word) => `${one.name} ${one.help}`.toLowerCase().includes(word)),
  );
  const columns: readonly Column<Listed>[] = [
    {
      id: 'name',
      header: t('Name'),
      cell: ({ name }) => (
        <button type="button" className="plain-button mono wrap-anywhere" onClick={() => onPick(name)}>
          {name}
        </button>
      ),
    },
    { id: 'type', header: t('Type'), label: t('Type'), cell: (one) => one.type },
    { id: 'help', header: t('What it is'), label: t('What it is'), cell: (one) => <span className="soft">{one.help}</span> },
  ];
  return (
    <div className="series-browser">
      <div className="row-wrap">
        <TextInput
          size="xs"
          type="search"
          aria-label={t('Filter metrics')}
          placeholder={t('Filter metrics')}
          value={filter}
          onChange={({ currentTarget: { value } }) => setFilter(value)}
        />
        <NativeSelect
          size="xs"
          aria-label={t('Type of metrics')}
          data={[{ value: '', label: t('Every type') }, ...types]}
          value={type}
          onChange={({ currentTarget: { value } }) => setType(value)}
        />
        <span className="faint">
          {shown.length > MOST_LISTED ? t('the first {most} of {count}', { most: MOST_LISTED, count: shown.length }) : `${shown.length}`}
        </span>
      </div>
      <div className="series-list" role="region" aria-label={t('Metrics')} tabIndex={0}>
        <DataTable caption={t('Metrics')} columns={columns} rows={shown.slice(0, MOST_LISTED)} rowKey={({ name }) => name} />
      </div>
    </div>
  );
}

const SUFFIX = /_(bucket|count|sum)$/;

function describedBy(name: string, metadata: Readonly<Record<string, readonly FamilyWire[]>>): Omit<Listed, 'name'> {
  const family = metadata[name]?.[0] ?? metadata[name.replace(SUFFIX, '')]?.[0];
  if (family !== undefined) return { type: family.type, help: family.help };
  return { type: name.endsWith('_total') ? 'counter' : SUFFIX.test(name) ? 'histogram' : 'unknown', help: '' };
}
