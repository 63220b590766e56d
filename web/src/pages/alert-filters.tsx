import { NativeSelect, SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { servicesQuery } from '../api/queries.ts';
import { FilterInput } from '../components/filter-input.tsx';
import type { AlertSearch, AlertStatus } from '../shell/search.ts';

type Props = { readonly search: AlertSearch; readonly onSearch: (search: AlertSearch) => void };

const SHOWN_STATUSES: readonly { readonly value: AlertStatus; readonly label: string }[] = [
  { value: 'open', label: 'Open' },
  { value: 'resolved', label: 'Resolved' },
  { value: 'all', label: 'All' },
];
const SEVERITIES = [
  { value: '', label: 'Any severity' },
  { value: 'emergency', label: 'Emergency' },
  { value: 'critical', label: 'Critical' },
  { value: 'warning', label: 'Warning' },
  { value: 'info', label: 'Info' },
];

/** Which alerts are listed; all of it stands in the address. */
export function AlertFilters({ search, onSearch }: Props) {
  const services = useQuery(servicesQuery());
  const set = (name: 'q' | 'severity' | 'service' | 'status', value: string) => {
    const { [name]: _before, ...rest } = search;
    onSearch(value === '' || (name === 'status' && value === 'open') ? rest : { ...rest, [name]: value });
  };
  const names = (services.data?.items ?? []).map((service) => ({ value: service.id, label: service.name }));
  return (
    <div className="filters no-print">
      <SegmentedControl
        size="xs"
        aria-label="Status"
        data={SHOWN_STATUSES.map((status) => ({ ...status }))}
        value={search.status ?? 'open'}
        onChange={(value) => set('status', value)}
      />
      <NativeSelect
        size="xs"
        aria-label="Severity"
        data={SEVERITIES}
        value={search.severity ?? ''}
        onChange={(event) => set('severity', event.currentTarget.value)}
      />
      {names.length === 0 ? null : (
        <NativeSelect
          size="xs"
          aria-label="Service"
          data={[{ value: '', label: 'Any service' }, ...names]}
          value={search.service ?? ''}
          onChange={(event) => set('service', event.currentTarget.value)}
        />
      )}
      <FilterInput what="alerts" value={search.q ?? ''} onChange={(value) => set('q', value)} />
    </div>
  );
}
