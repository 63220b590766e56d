import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { servicesQuery } from '../api/queries.ts';
import { t } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';
import { type Teams, teamsOf } from './teams.ts';

/** Whose services are, as far as the reader may know. */
export function useTeams(): Teams {
  const may = useCan('read', 'services');
  const services = useQuery({ ...servicesQuery(), enabled: may });
  return teamsOf(services.data?.items ?? []);
}

type Props = { readonly teams: Teams; readonly value: string | undefined; readonly onChange: (team: string | undefined) => void };

/** Narrows a list to what one team has; nothing where no service names a team, unless the address does. */
export function TeamFilter({ teams: { names }, value, onChange }: Props) {
  const offered = value === undefined || names.includes(value) ? names : [value, ...names];
  if (offered.length === 0) return null;
  return (
    <NativeSelect
      size="xs"
      aria-label={t('Team')}
      data={[{ value: '', label: t('Any team') }, ...offered.map((name) => ({ value: name, label: name }))]}
      value={value ?? ''}
      onChange={(event) => onChange(event.currentTarget.value === '' ? undefined : event.currentTarget.value)}
    />
  );
}
