import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { AlertCountsWire } from '../api/alerts.ts';
import { servicesQuery } from '../api/queries.ts';
import type { Severity } from '../api/wire.ts';
import { FilterInput } from '../components/filter-input.tsx';
import { TeamFilter } from '../components/team-filter.tsx';
import { teamsOf } from '../components/teams.ts';
import { t } from '../language/t.ts';
import type { AlertSearch } from '../shell/search.ts';
import { SeverityMark } from '../states/state-mark.tsx';
import { GROUPINGS, filtersIn } from './inbox-search.ts';
import { plainText } from './plain-text.ts';

type Props = {
  readonly search: AlertSearch;
  readonly counts: AlertCountsWire | undefined;
  readonly onSearch: (search: AlertSearch) => void;
};
type Field = 'q' | 'status' | 'service' | 'team' | 'assigned' | 'label' | 'group' | 'severity' | 'source';

const STATUSES = [
  { value: '', label: t('Open') },
  { value: 'firing', label: t('Firing') },
  { value: 'acknowledged', label: t('Acknowledged') },
  { value: 'suppressed', label: t('Suppressed') },
  { value: 'pending', label: t('Pending') },
  { value: 'resolved', label: t('Resolved') },
  { value: 'all', label: t('All') },
];
const ASSIGNED = [
  { value: '', label: t('With anybody') },
  { value: 'me', label: t('With me') },
  { value: 'nobody', label: t('With nobody') },
];
const GROUP_WORDS: Readonly<Record<(typeof GROUPINGS)[number], string>> = {
  service: t('By service'),
  problem: t('By problem'),
  rule: t('By rule'),
  alertname: t('By name'),
  severity: t('By severity'),
  assigned: t('By person'),
};
const SEVERITIES: readonly Severity[] = ['emergency', 'critical', 'warning', 'info'];
/** Typing is over when nothing came for this long. */
const TYPED_MS = 250;
const MAX_NAME_CHARS = 120;

/** Which alerts are listed and how; all of it stands in the address. */
export function InboxFilters({ search, counts, onSearch }: Props) {
  const services = useQuery(servicesQuery());
  const [more, setMore] = useState(false);
  const set = (name: Field, value: string | undefined) => {
    const { [name]: _before, ...rest } = search;
    onSearch(value === undefined || value === '' ? rest : ({ ...rest, [name]: value } as AlertSearch));
  };
  const names = (services.data?.items ?? []).map((service) => ({ value: service.id, label: service.name }));
  const select = (label: string, field: Field, data: { value: string; label: string }[]) => (
    <NativeSelect
      size="xs"
      aria-label={label}
      data={data}
      value={search[field] ?? ''}
      onChange={(event) => set(field, event.currentTarget.value)}
    />
  );
  const groups = GROUPINGS.map((value) => ({ value, label: GROUP_WORDS[value] }));
  const byLabel =
    search.group?.startsWith('label:') === true ? [{ value: search.group, label: t('By {label}', { label: search.group }) }] : [];
  return (
    <div className="filters inbox-filters no-print">
      <Severities search={search} counts={counts} onChange={(value) => set('severity', value)} />
      {select(t('Status'), 'status', [...STATUSES])}
      <Button className="filters-toggle" size="xs" variant="default" aria-expanded={more} onClick={() => setMore(!more)}>
        {t('More filters')}
      </Button>
      <div className={more ? 'filters-rest opened' : 'filters-rest'}>
        {names.length === 0 ? null : select(t('Service'), 'service', [{ value: '', label: t('Any service') }, ...names])}
        <TeamFilter teams={teamsOf(services.data?.items ?? [])} value={search.team} onChange={(team) => set('team', team)} />
        {select(t('Assigned'), 'assigned', [...ASSIGNED])}
        {select(t('Group'), 'group', [{ value: '', label: t('Not grouped') }, ...groups, ...byLabel])}
        <Typed value={search.q ?? ''} onChange={(value) => set('q', value)}>
          {(value, type) => <FilterInput what={t('alerts')} value={value} onChange={type} />}
        </Typed>
        <Typed value={search.label ?? ''} onChange={(value) => set('label', value)}>
          {(value, type) => (
            <TextInput
              size="xs"
              className="mono"
              aria-label={t('Label matcher')}
              placeholder={'instance="a"'}
              value={value}
              onChange={(event) => type(event.currentTarget.value)}
            />
          )}
        </Typed>
      </div>
      {search.source === undefined ? null : (
        <span className="soft">{t('of rule {rule}', { rule: plainText(search.source, MAX_NAME_CHARS) })}</span>
      )}
      {filtersIn(search) === 0 ? null : (
        <button type="button" className="plain-button" onClick={() => onSearch(search.group === undefined ? {} : { group: search.group })}>
          {t('Clear the filters')}
        </button>
      )}
    </div>
  );
}

type TypedProps = {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly children: (value: string, type: (value: string) => void) => React.ReactNode;
};

/** A text that is looked for when the typing pauses. */
function Typed({ value, onChange, children }: TypedProps) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return undefined;
    const timer = window.setTimeout(() => onChange(typed), TYPED_MS);
    return () => window.clearTimeout(timer);
    // A new function of the parent does not mean that something was typed.
  }, [typed, value]);
  return children(typed, setTyped);
}

/** How many there are of each severity; a click shows only those, another one all again. */
function Severities({
  search,
  counts,
  onChange,
}: {
  readonly search: AlertSearch;
  readonly counts: AlertCountsWire | undefined;
  readonly onChange: (value: string) => void;
}) {
  const chosen = search.severity?.split(',') ?? [];
  const toggle = (severity: Severity) =>
    onChange((chosen.includes(severity) ? chosen.filter((one) => one !== severity) : [...chosen, severity]).join(','));
  return (
    <div className="row-wrap severities" role="group" aria-label={t('Severity')}>
      {SEVERITIES.map((severity) => {
        const states = counts?.by_severity[severity];
        const open = states === undefined ? 0 : states.firing + states.acknowledged + states.suppressed + states.pending;
        return (
          <button
            key={severity}
            type="button"
            className="severity-chip"
            aria-pressed={chosen.includes(severity)}
            title={
              states === undefined
                ? ''
                : t('{firing} firing, {acknowledged} acknowledged, {suppressed} suppressed', {
                    firing: states.firing,
                    acknowledged: states.acknowledged,
                    suppressed: states.suppressed,
                  })
            }
            onClick={() => toggle(severity)}
          >
            <SeverityMark severity={severity} />
            <span className="faint">{open}</span>
          </button>
        );
      })}
    </div>
  );
}
