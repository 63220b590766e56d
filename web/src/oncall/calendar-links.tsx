import { Button, NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type CalendarView, calendarsQuery, type PersonView, useMakeCalendar, useRevokeCalendar } from '../api/oncall.ts';
import { Ago, Instant } from '../components/instant.tsx';
import { Command, RefusedNotice } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t, rich } from '../language/t.ts';

type Props = {
  readonly schedule: { readonly id: string; readonly name: string };
  readonly people: readonly PersonView[];
  readonly me: PersonView | undefined;
};

/** Links under which calendar programs read shifts: made once, shown once, revoked when nobody needs them. */
export function CalendarLinks({ schedule, people, me }: Props) {
  const links = useQuery(calendarsQuery());
  const make = useMakeCalendar();
  const [about, setAbout] = useState('schedule');
  const subject = about === 'schedule' ? { kind: 'schedule' as const, subject: schedule.id } : { kind: 'person' as const, subject: about };
  const items = links.data?.items ?? [];
  return (
    <Section title={t('In your calendar')} aside={t('Whoever knows the address reads the shifts without signing in')}>
      <div className="panel panel-pad shift-links">
        <div className="row-wrap">
          <NativeSelect
            aria-label={t('Shifts of')}
            size="xs"
            data={[
              { value: 'schedule', label: t('All of {schedule}', { schedule: schedule.name }) },
              ...people.map(({ id, name }) => ({
                value: id,
                label: id === me?.id ? t('{name} (you), everywhere', { name }) : t('{name}, everywhere', { name }),
              })),
            ]}
            value={about}
            onChange={(event) => setAbout(event.currentTarget.value)}
          />
          <Button size="xs" variant="default" loading={make.isPending} onClick={() => make.mutate(subject)}>
            {t('Make a link')}
          </Button>
        </div>
        {make.isError ? <RefusedNotice error={make.error} /> : null}
        {make.data === undefined ? null : (
          <div role="status">
            <p className="soft">{t('Subscribe to this address in your calendar program. It is shown only now.')}</p>
            <Command text={make.data.url} />
          </div>
        )}
        {items.length === 0 ? null : (
          <ul className="plain-list" aria-label={t('Links to calendars')}>
            {items.map((link) => (
              <Link key={link.id} link={link} />
            ))}
          </ul>
        )}
      </div>
    </Section>
  );
}

function Link({ link }: { readonly link: CalendarView }) {
  const revoke = useRevokeCalendar();
  return (
    <li>
      <span>
        {link.kind === 'schedule' ? t('Schedule {subject}', { subject: link.subject }) : t('Person {subject}', { subject: link.subject })}
      </span>
      <span className="soft">
        {', '}
        {rich('made by {name} {at}', { name: link.made_by, at: <Instant atMs={link.made_at_ms} relative={false} /> })}
        {', '}
        {link.read_at_ms === null ? t('never read') : rich('read {ago}', { ago: <Ago atMs={link.read_at_ms} /> })}
      </span>{' '}
      <Button
        size="xs"
        variant="default"
        aria-label={t('Revoke the link to {subject}', { subject: link.subject })}
        loading={revoke.isPending}
        onClick={() => revoke.mutate(link.id)}
      >
        {t('Revoke')}
      </Button>
      {revoke.isError ? <RefusedNotice error={revoke.error} /> : null}
    </li>
  );
}
