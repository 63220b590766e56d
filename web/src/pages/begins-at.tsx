import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { dashboardsQuery } from '../api/dashboards.ts';
import { preferencesQuery, useChangePreferences } from '../api/home.ts';
import { mayIn } from '../api/permits.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import { FIRST, REST } from '../shell/places.ts';
import { useSession } from '../shell/session.tsx';

/** The page somebody begins with when they sign in, rather than the one of their role. */
export function BeginsAt() {
  const session = useSession();
  const preferences = useQuery(preferencesQuery());
  const dashboards = useQuery({ ...dashboardsQuery(), enabled: mayIn(session, 'read', 'dashboards') });
  const change = useChangePreferences();
  if (preferences.data === undefined) return null;
  const pages = [...FIRST, ...REST].filter(({ area }) => area === undefined || mayIn(session, 'read', area));
  return (
    <Section title={t('Where you begin')}>
      <NativeSelect
        aria-label={t('Where you begin')}
        data={[
          { value: '', label: t('Where your role begins') },
          { group: t('Pages'), items: pages.map(({ to, word }) => ({ value: to, label: word })) },
          {
            group: t('Dashboards'),
            items: (dashboards.data?.items ?? []).map(({ id, title }) => ({ value: `/dashboards/${id}`, label: title })),
          },
        ]}
        value={preferences.data.landing ?? ''}
        onChange={(event) => change.mutate({ landing: event.currentTarget.value === '' ? null : event.currentTarget.value })}
      />
      {change.isError ? <RefusedNotice error={change.error} /> : null}
    </Section>
  );
}
