import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { maintenanceQuery, type OccurrenceView, occurrencesQuery, useEndWindow, type WindowView } from '../api/maintenance.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { Instant } from '../components/instant.tsx';
import { EmptyState, RefusedNotice, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { lengthText } from '../figures/length.ts';
import { t, rich } from '../language/t.ts';
import { useNow, useNowStep } from '../shell/now.ts';
import { Locked } from '../components/locked.tsx';
import { useCan } from '../shell/session.tsx';
import { scheduleText } from './maintenance-draft.ts';
import { WindowDialog } from './maintenance-form.tsx';
import { useTitle } from './use-title.ts';

const SNIPPET = `maintenance:
  - id: nightly
    services: [shop]
    cron: '30 2 * * sun'
    zone: Europe/Berlin
    duration: 1h`;

const DAY_MS = 86_400_000;
/** What was and what comes, shown to both sides of now. */
const AROUND_MS = 30 * DAY_MS;
const STEP_MS = 60_000;
const SHOWN = 5;

/** When somebody works on services: what goes on, what comes, what was, and the windows that say so. */
export function MaintenancePage() {
  useTitle(t('Maintenance'));
  const windows = useQuery(maintenanceQuery());
  const all = windows.data?.items ?? [];
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('Maintenance')}</h1>
          <p className="page-lead">{t('When somebody works on services, said before. A contract says what its time costs.')}</p>
        </div>
        <Announce />
      </header>
      <Waiting query={windows} what={t('maintenance')} />
      {windows.data !== undefined && all.length === 0 ? (
        <EmptyState command={SNIPPET}>
          {t('No maintenance is announced. Announce it here, or write it into the configuration file.')}
        </EmptyState>
      ) : null}
      <Occurrences />
      {all.length === 0 ? null : (
        <Section title={t('Windows')} aside={t('{all} in force', { all: all.length })}>
          <div className="panel">
            <DataTable caption={t('Maintenance windows')} columns={COLUMNS} rows={all} rowKey={(window) => window.id} />
          </div>
        </Section>
      )}
    </div>
  );
}

function Announce() {
  const [opened, setOpened] = useState(false);
  if (!useCan('operate', 'maintenance')) return <Locked word={t('Announce maintenance')} verb="operate" area="maintenance" />;
  return (
    <>
      <Button onClick={() => setOpened(true)}>{t('Announce maintenance')}</Button>
      <WindowDialog opened={opened} onClose={() => setOpened(false)} />
    </>
  );
}

function Occurrences() {
  const step = useNowStep(STEP_MS);
  const now = useNow();
  const found = useQuery(occurrencesQuery(step - AROUND_MS, step + AROUND_MS));
  const items = found.data?.items ?? [];
  const parts = [
    { title: t('Going on'), items: items.filter((one) => one.from_at_ms <= now && one.to_at_ms > now) },
    { title: t('Coming'), items: items.filter((one) => one.from_at_ms > now) },
    { title: t('Was'), items: items.filter((one) => one.to_at_ms <= now).toReversed() },
  ];
  return parts.map(({ title, items: mine }) =>
    mine.length === 0 ? null : (
      <Section
        key={title}
        title={title}
        aside={mine.length > SHOWN ? t('{shown} of {count} within 30 days', { shown: SHOWN, count: mine.length }) : undefined}
      >
        <ul className="plain-list" aria-label={title}>
          {mine.slice(0, SHOWN).map((one) => (
            <Occurrence key={`${one.window} ${one.from_at_ms}`} one={one} />
          ))}
        </ul>
      </Section>
    ),
  );
}

function Occurrence({ one }: { readonly one: OccurrenceView }) {
  return (
    <li>
      {rich('<b>{name}</b> of {services}', {
        b: (inner) => <strong>{inner}</strong>,
        name: one.name,
        services: <Services ids={one.services} />,
      })}
      <div className="soft">
        {rich('{from} for {length}, announced {at}', {
          from: <Instant atMs={one.from_at_ms} />,
          length: lengthText(one.to_at_ms - one.from_at_ms),
          at: <Instant atMs={one.announced_at_ms} relative={false} />,
        })}
      </div>
    </li>
  );
}

function Services({ ids }: { readonly ids: readonly string[] }) {
  return ids.map((id, index) => (
    <span key={id}>
      {index === 0 ? '' : ', '}
      <Link to="/services/$id" params={{ id }}>
        {id}
      </Link>
    </span>
  ));
}

const COLUMNS: readonly Column<WindowView>[] = [
  { id: 'name', header: t('Window'), cell: (window) => <span className="row-name">{window.name}</span> },
  { id: 'services', header: t('Services'), label: t('services'), cell: (window) => <Services ids={window.services} /> },
  {
    id: 'schedule',
    header: t('Comes'),
    label: t('comes'),
    cell: (window) => <span className="mono">{scheduleText(window.schedule)}</span>,
  },
  {
    id: 'next',
    header: t('Next'),
    label: t('next'),
    cell: ({ next, active }) => (next === null ? t('over') : active ? <strong>{t('now')}</strong> : <Instant atMs={next.from_at_ms} />),
  },
  { id: 'alerts', header: t('Alerts'), label: t('alerts'), cell: (window) => (window.suppress_alerts ? t('kept from people') : t('sent')) },
  { id: 'act', header: t('Declared'), label: t('declared'), cell: (window) => <Act window={window} /> },
];

/** What people may do to a window that was announced here; those of the configuration file are changed there. Ending asks once more. */
function Act({ window }: { readonly window: WindowView }) {
  const [asked, setAsked] = useState<'change' | 'end' | undefined>(undefined);
  const end = useEndWindow();
  const mayAct = useCan('operate', 'maintenance');
  if (window.origin !== 'ui') return <span className="faint">{window.origin}</span>;
  if (!mayAct) return t('here');
  return (
    <span className="row-wrap">
      {asked === 'end' ? (
        <>
          <Button size="xs" variant="default" onClick={() => setAsked(undefined)}>
            {t('Keep it')}
          </Button>
          <Button size="xs" loading={end.isPending} onClick={() => end.mutate(window.id)}>
            {t('End {window}', { window: window.name })}
          </Button>
        </>
      ) : (
        <>
          <Button size="xs" variant="default" aria-label={t('Change {window}', { window: window.name })} onClick={() => setAsked('change')}>
            {t('Change')}
          </Button>
          <Button size="xs" variant="default" aria-label={t('End {window} now', { window: window.name })} onClick={() => setAsked('end')}>
            {t('End')}
          </Button>
          <ObjectMenu kind="maintenance" id={window.id} name={window.name} />
        </>
      )}
      {end.isError ? <RefusedNotice error={end.error} /> : null}
      <WindowDialog window={window} opened={asked === 'change'} onClose={() => setAsked(undefined)} />
    </span>
  );
}
