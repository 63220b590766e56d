import { Autocomplete, Button, MultiSelect, NativeSelect, NumberInput, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { labelsQuery, metadataQuery, metricNamesQuery } from '../api/analytics.ts';
import { AGGREGATES, COMPARISONS, type Choices, FUNCTIONS, type Filter, NO_CHOICES, builtQuery } from './builder.ts';
import { describe } from './ready-query.ts';
import { t } from '../language/t.ts';

const OPS = ['=', '!=', '=~', '!~'] as const;
const MOST_SHOWN = 100;

/** PromQL from choices; what it writes is shown, so that one learns it on the way. */
export function Builder({ onUse }: { readonly onUse: (query: string) => void }) {
  const names = useQuery(metricNamesQuery());
  const families = useQuery(metadataQuery());
  const [choices, setChoices] = useState<Choices>(NO_CHOICES);
  const set = (change: Partial<Choices>) => setChoices((before) => ({ ...before, ...change }));
  const known = (names.data ?? []).includes(choices.metric);
  const labels =
    useQuery({ ...labelsQuery(`{__name__=${JSON.stringify(choices.metric)}}`), enabled: known }).data ??
    new Map<string, readonly string[]>();
  const query = builtQuery(choices);
  const pick = (metric: string) => {
    const { type } = describe(metric, families.data ?? {}, undefined);
    const func = type === 'counter' ? 'rate' : type === 'histogram' ? 'quantile' : '';
    set({ metric, filters: [], by: [], func });
  };
  return (
    <form
      className="builder"
      aria-label={t('Build a query')}
      onSubmit={(event) => {
        event.preventDefault();
        if (query !== '') onUse(query);
      }}
    >
      <div className="builder-row">
        <Autocomplete
          size="xs"
          label={t('Metric')}
          className="builder-metric"
          data={[...(names.data ?? [])]}
          limit={MOST_SHOWN}
          value={choices.metric}
          onChange={(metric) => set({ metric })}
          onOptionSubmit={pick}
        />
        <Filters filters={choices.filters} labels={labels} onChange={(filters) => set({ filters })} />
      </div>
      <How choices={choices} labels={[...labels.keys()]} onChange={set} />
      <div className="row-wrap">
        <code className="builder-text wrap-anywhere" aria-live="polite">
          {query === '' ? t('Choose a metric') : query}
        </code>
        <Button size="xs" type="submit" disabled={query === ''}>
          {t('Use it')}
        </Button>
      </div>
    </form>
  );
}

type HowProps = { readonly choices: Choices; readonly labels: readonly string[]; readonly onChange: (change: Partial<Choices>) => void };

/** What is made of the series, and which of the values are kept. */
function How({ choices, labels, onChange: set }: HowProps) {
  return (
    <div className="builder-row">
      <NativeSelect
        size="xs"
        label={t('Take it')}
        data={[...FUNCTIONS]}
        value={choices.func}
        onChange={({ currentTarget: { value } }) => set({ func: FUNCTIONS.find((one) => one.value === value)?.value ?? '' })}
      />
      {choices.func === '' ? null : (
        <TextInput
          size="xs"
          label={t('Window')}
          value={choices.window}
          onChange={({ currentTarget: { value } }) => set({ window: value })}
        />
      )}
      {choices.func === 'quantile' ? (
        <NumberInput
          size="xs"
          label={t('Percentile')}
          min={1}
          max={99.99}
          value={choices.quantile * 100}
          onChange={(value) => set({ quantile: Math.round(Number(value) * 100) / 10_000 })}
        />
      ) : (
        <NativeSelect
          size="xs"
          label={t('All series together')}
          data={AGGREGATES.map((value) => ({ value, label: value === '' ? t('each by itself') : value }))}
          value={choices.aggregate}
          onChange={({ currentTarget: { value } }) => set({ aggregate: AGGREGATES.find((one) => one === value) ?? '' })}
        />
      )}
      {choices.aggregate === '' && choices.func !== 'quantile' ? null : (
        <MultiSelect size="xs" label={t('One per')} data={[...labels]} value={[...choices.by]} onChange={(by) => set({ by })} />
      )}
      <NativeSelect
        size="xs"
        label={t('Only where')}
        data={COMPARISONS.map((value) => ({ value, label: value === '' ? t('all values') : value }))}
        value={choices.comparison}
        onChange={({ currentTarget: { value } }) => set({ comparison: COMPARISONS.find((one) => one === value) ?? '' })}
      />
      {choices.comparison === '' ? null : (
        <NumberInput size="xs" label={t('Limit')} value={choices.limit} onChange={(value) => set({ limit: Number(value) })} />
      )}
    </div>
  );
}

type FiltersProps = {
  readonly filters: readonly Filter[];
  readonly labels: ReadonlyMap<string, readonly string[]>;
  readonly onChange: (filters: readonly Filter[]) => void;
};

function Filters({ filters, labels, onChange }: FiltersProps) {
  const change = (index: number, next: Partial<Filter>) =>
    onChange(filters.map((one, place) => (place === index ? { ...one, ...next } : one)));
  return (
    <>
      {filters.map((filter, index) => (
        // Filters have no identity but their place.
        <fieldset key={index} className="builder-filter">
          <legend className="sr-only">{t('Filter {number}', { number: index + 1 })}</legend>
          <Autocomplete
            size="xs"
            aria-label={t('Label')}
            placeholder={t('label')}
            data={[...labels.keys()]}
            value={filter.name}
            onChange={(name) => change(index, { name })}
          />
          <NativeSelect
            size="xs"
            aria-label={t('How it is compared')}
            data={[...OPS]}
            value={filter.op}
            onChange={({ currentTarget: { value } }) => change(index, { op: OPS.find((one) => one === value) ?? '=' })}
          />
          <Autocomplete
            size="xs"
            aria-label={t('Value')}
            placeholder={t('value')}
            data={[...(labels.get(filter.name) ?? [])].slice(0, MOST_SHOWN)}
            value={filter.value}
            onChange={(value) => change(index, { value })}
          />
          <Button
            size="xs"
            variant="default"
            aria-label={t('Take filter {number} away', { number: index + 1 })}
            onClick={() => onChange(filters.filter((_, place) => place !== index))}
          >
            ×
          </Button>
        </fieldset>
      ))}
      <Button size="xs" variant="default" onClick={() => onChange([...filters, { name: '', op: '=', value: '' }])}>
        {t('Add a filter')}
      </Button>
    </>
  );
}
