import { useMantineColorScheme } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useSignOut } from '../api/actions.ts';
import { checkPageQuery, checksFoundQuery } from '../api/checks.ts';
import { dashboardsQuery } from '../api/dashboards.ts';
import { incidentsQuery } from '../api/incidents.ts';
import { peopleQuery } from '../api/people.ts';
import { mayIn } from '../api/permits.ts';
import { alertsQuery, servicesQuery, slasQuery } from '../api/queries.ts';
import { rulesQuery } from '../api/rules.ts';
import { LANGUAGES, choose, isLanguage } from '../language/language.ts';
import { t } from '../language/t.ts';
import { SETTINGS } from '../pages/settings.tsx';
import { FIRST, REST } from '../shell/places.ts';
import { useSession } from '../shell/session.tsx';
import { setDensity } from '../theme.ts';
import type { Ranked } from './rank.ts';

/** Something the palette finds: it is opened at `to`, or done. */
export type Entry = Ranked & {
  /** What kind of thing it is, in words. */
  readonly kind: string;
  readonly to?: string;
  readonly run?: () => void;
};

/** Of one kind at most so many are searched. */
const MOST_OF_A_KIND = 20_000;
const part = encodeURIComponent;

/** Things of one kind as entries. `say` gives the word, what else it is found by, and the address. */
function entriesOf<Thing extends { readonly id: string }>(
  key: string,
  kind: string,
  {
    things,
    say,
  }: { readonly things: readonly Thing[] | undefined; readonly say: (thing: Thing) => readonly [word: string, also: string, to: string] },
): readonly Entry[] {
  return (things ?? []).slice(0, MOST_OF_A_KIND).map((thing) => {
    const [word, also, to] = say(thing);
    return { id: `${key}/${thing.id}`, kind, word, also, to };
  });
}

/** Everything that whoever asks may see and do; what the lists show is read when the palette opens, once. Of checks the server finds what is `typed`. */
export function useEntries(typed: string): { readonly entries: readonly Entry[]; readonly reading: boolean } {
  const things = useThings(typed.trim());
  const places = usePlaces();
  const actions = useActions();
  const entries = useMemo(() => [...places, ...actions, ...things.entries], [places, actions, things.entries]);
  return { entries, reading: things.reading };
}

function usePlaces(): readonly Entry[] {
  const session = useSession();
  return useMemo(() => {
    const pages = [...FIRST, ...REST].filter(({ area }) => area === undefined || mayIn(session, 'read', area));
    const settings = SETTINGS.filter(({ needs }) => (needs === undefined ? session.actor.kind === 'user' : mayIn(session, ...needs)));
    return [
      ...pages.map(({ to, word }) => ({ id: `page${to}`, kind: t('Page'), word, to })),
      ...settings.map(({ to, word, about }) => ({ id: `page${to}`, kind: t('Settings'), word, also: about, to })),
    ];
  }, [session]);
}

function useThings(typed: string) {
  const session = useSession();
  const may = (area: Parameters<typeof mayIn>[2], verb: Parameters<typeof mayIn>[1] = 'read') => mayIn(session, verb, area);
  const asked = { staleTime: 30_000, refetchInterval: false } as const;
  const services = useQuery({ ...servicesQuery(), ...asked, enabled: may('services') });
  const checks = useQuery({ ...checkPageQuery({}, 0), ...asked, enabled: may('checks') });
  const more = (checks.data?.total ?? 0) > (checks.data?.items.length ?? 0);
  const found = useQuery({ ...checksFoundQuery(typed), ...asked, enabled: more && typed !== '' });
  const known = useMemo(
    () => [...new Map([...(checks.data?.items ?? []), ...(found.data?.items ?? [])].map((one) => [one.id, one])).values()],
    [checks.data, found.data],
  );
  const slas = useQuery({ ...slasQuery(), ...asked, enabled: may('slas') });
  const alerts = useQuery({ ...alertsQuery({}), ...asked, enabled: may('alerts') });
  const incidents = useQuery({ ...incidentsQuery('open'), ...asked, enabled: may('incidents') });
  const dashboards = useQuery({ ...dashboardsQuery(), ...asked, enabled: may('dashboards') });
  const rules = useQuery({ ...rulesQuery(), ...asked, enabled: may('alerts') && session.scope === '' });
  const people = useQuery({ ...peopleQuery(), ...asked, enabled: may('access', 'administer') && session.scope === '' });
  const entries = useMemo(
    () => [
      ...entriesOf('service', t('Service'), {
        things: services.data?.items,
        say: ({ id, name, team }) => [name, `${id} ${team}`, `/services/${part(id)}`],
      }),
      ...entriesOf('check', t('Check'), {
        things: known,
        say: ({ id, name, service, target }) => [name === '' ? id : name, `${id} ${service} ${target}`, `/checks/${part(id)}`],
      }),
      ...entriesOf('sla', 'SLA', {
        things: slas.data?.items,
        say: ({ id, name, service }) => [name === '' ? id : name, `${id} ${service}`, `/slas/${part(id)}`],
      }),
      ...entriesOf('alert', t('Alert'), {
        things: alerts.data?.items,
        say: ({ id, alertname, service, severity }) => [alertname, `${service ?? ''} ${severity}`, `/alerts-dashboard?alert=${part(id)}`],
      }),
      ...entriesOf('incident', t('Incident'), {
        things: incidents.data?.items,
        say: ({ id, title }) => [title, id, `/incidents/${part(id)}`],
      }),
      ...entriesOf('dashboard', t('Dashboard'), {
        things: dashboards.data?.items,
        say: ({ id, title, tags }) => [title, `${id} ${tags.join(' ')}`, `/dashboards/${part(id)}`],
      }),
      ...entriesOf('rule', t('Rule'), { things: rules.data?.items, say: ({ id, name }) => [name, id, `/rules?rule=${part(id)}`] }),
      ...entriesOf('person', t('Person'), {
        things: people.data?.items,
        say: ({ name, email }) => [name, email ?? '', '/settings/people'],
      }),
    ],
    [services.data, known, slas.data, alerts.data, incidents.data, dashboards.data, rules.data, people.data],
  );
  const all = [services, checks, found, slas, alerts, incidents, dashboards, rules, people];
  return { entries, reading: all.some(({ isLoading }) => isLoading) };
}

function useActions(): readonly Entry[] {
  const session = useSession();
  const { setColorScheme } = useMantineColorScheme();
  const { mutate: signOut } = useSignOut();
  return useMemo(() => {
    const kind = t('Action');
    const does = (id: string, word: string, how: Pick<Entry, 'to' | 'run' | 'also'>): Entry => ({ id: `action/${id}`, kind, word, ...how });
    return [
      ...(mayIn(session, 'operate', 'services') ? [does('service', t('Add a service'), { to: '/services?add=1' })] : []),
      ...(mayIn(session, 'operate', 'alerts') ? [does('silence', t('Make a silence'), { to: '/silences?new=yes' })] : []),
      ...(mayIn(session, 'operate', 'dashboards') ? [does('dashboard', t('Make a dashboard'), { to: '/dashboards?make=1' })] : []),
      ...(mayIn(session, 'administer', 'notifications') ? [does('channel', t('Make a channel'), { to: '/settings/channels?add=1' })] : []),
      ...(mayIn(session, 'operate', 'maintenance') ? [does('maintenance', t('Plan maintenance'), { to: '/maintenance' })] : []),
      does('link', t('Copy the link to this page'), { run: () => void navigator.clipboard.writeText(window.location.href) }),
      does('light', t('Theme: light'), { run: () => setColorScheme('light') }),
      does('dark', t('Theme: dark'), { run: () => setColorScheme('dark') }),
      does('auto', t('Theme: as the system'), { run: () => setColorScheme('auto') }),
      does('compact', t('Density: compact'), { run: () => setDensity('compact') }),
      does('comfortable', t('Density: comfortable'), { run: () => setDensity('comfortable') }),
      ...Object.entries(LANGUAGES).map(([id, word]) =>
        does(`language-${id}`, t('Language: {name}', { name: word }), {
          also: 'language sprache langue',
          run: () => {
            if (isLanguage(id)) choose(id);
          },
        }),
      ),
      ...(session.actor.kind === 'user' ? [does('sign-out', t('Sign out'), { run: () => signOut() })] : []),
    ];
  }, [session, setColorScheme, signOut]);
}
