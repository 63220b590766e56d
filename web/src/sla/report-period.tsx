import { NativeSelect, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import type { KeyboardEvent } from 'react';
import type { ReportFields } from '../api/sla-queries.ts';
import type { SlaView } from '../api/wire.ts';
import { t } from '../language/t.ts';
import { useNowStep } from '../shell/now.ts';
import type { ReportsSearch } from '../shell/search.ts';
import { recentPeriods } from './periods.ts';
import { periodFields } from './what-if-search.ts';

/** Months to choose from. */
const PERIODS = 25;
const MONTHS = { calendar: null } as const;
const HOUR_MS = 3_600_000;

/** What the address asks about; without a period the month that runs. */
export function useReportFields(search: ReportsSearch): ReportFields {
  const now = useNowStep(HOUR_MS);
  const { period, from, to, zone } = periodFields(search);
  return {
    sla: (search.sla ?? '').split(',').filter((id) => id !== ''),
    customer: search.customer,
    period: period ?? (from === undefined ? recentPeriods(MONTHS, now, 1)[0]?.name : undefined),
    from,
    to,
    zone,
  };
}

const submitOnEnter = (event: KeyboardEvent<HTMLInputElement>) => {
  if (event.key === 'Enter') event.currentTarget.blur();
};

/** The period, its zone and the customer of a report; the address keeps them. */
export function ReportPeriod({ slas, search }: { readonly slas: readonly SlaView[]; readonly search: ReportsSearch }) {
  const navigate = useNavigate({ from: '/reports' });
  const now = useNowStep(HOUR_MS);
  const months = recentPeriods(MONTHS, now, PERIODS);
  const customers = new Map(slas.flatMap((sla) => sla.customers.map(({ id, name }) => [id, name] as const)));
  const go = (next: ReportsSearch) => void navigate({ search: next, replace: true, resetScroll: false });
  const setPeriod = (period: string) => {
    const { period: _period, from: _from, to: _to, ...rest } = search;
    go(period === '' ? rest : { ...rest, period });
  };
  const isNamed = search.period === undefined ? search.from === undefined : months.some(({ name }) => name === search.period);
  return (
    <div className="panel panel-pad choose">
      <NativeSelect
        label={t('Month')}
        data={[
          ...(isNamed ? [] : [{ value: 'other', label: t('another period') }]),
          ...months.map(({ name }, i) => ({ value: i === 0 ? '' : name, label: i === 0 ? t('{name}, so far', { name }) : name })),
        ]}
        value={isNamed ? (search.period === months[0]?.name ? '' : (search.period ?? '')) : 'other'}
        onChange={(event) => setPeriod(event.currentTarget.value === 'other' ? (search.period ?? '') : event.currentTarget.value)}
      />
      <TextInput
        label={t('Or another period')}
        placeholder="2026-11-21, 2026-W47, 2026-Q4, 2026"
        defaultValue={isNamed ? '' : (search.period ?? '')}
        key={search.period}
        onBlur={(event) => {
          const period = event.currentTarget.value.trim();
          if (period !== '' && period !== search.period) setPeriod(period);
        }}
        onKeyDown={submitOnEnter}
      />
      <TextInput
        label={t('Time zone')}
        placeholder="UTC"
        defaultValue={search.zone ?? ''}
        key={`zone ${search.zone}`}
        onBlur={(event) => {
          const zone = event.currentTarget.value.trim();
          const { zone: _before, ...rest } = search;
          if (zone !== (search.zone ?? '')) go(zone === '' ? rest : { ...rest, zone });
        }}
        onKeyDown={submitOnEnter}
      />
      {customers.size === 0 ? null : (
        <NativeSelect
          label={t('Customer')}
          data={[{ value: '', label: t('nobody in particular') }, ...[...customers].map(([value, label]) => ({ value, label }))]}
          value={search.customer ?? ''}
          onChange={(event) => {
            const { customer: _before, ...rest } = search;
            go(event.currentTarget.value === '' ? rest : { ...rest, customer: event.currentTarget.value });
          }}
        />
      )}
    </div>
  );
}
