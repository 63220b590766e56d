import { Button, SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import {
  type OverrideView,
  oncallSchedulesQuery,
  peopleQuery,
  type PersonView,
  type ScheduleView,
  type ShiftsView,
  shiftsQuery,
  useTakeBack,
  type WhoView,
  whoQuery,
} from '../api/oncall.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { EmptyState, RefusedNotice, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { LOCALE } from '../figures/instant.ts';
import { lengthText, relativeText } from '../figures/length.ts';
import { fromServer } from '../language/server-text.ts';
import { listText } from '../figures/list.ts';
import { t, rich } from '../language/t.ts';
import { CalendarLinks } from '../oncall/calendar-links.tsx';
import { OverrideDialog, type OverrideDraft } from '../oncall/override-dialog.tsx';
import { shiftInstant, type Shown, shownAround } from '../oncall/range.ts';
import { ShiftStrip } from '../oncall/strip.tsx';
import { useNow, useNowStep } from '../shell/now.ts';
import type { OnCallSearch } from '../shell/search.ts';
import { useCan, useSession } from '../shell/session.tsx';
import { useTitle } from './use-title.ts';

const SNIPPET = `oncall:
  people:
    - { id: anne, name: Anne Berg, zone: Europe/Berlin, user: anne }
    - { id: ben, name: Ben Okoro, zone: Africa/Lagos }
  schedules:
    - id: platform
      zone: Europe/Berlin
      layers:
        - { name: always, rotation: weekly, start: 2026-01-05 09:00, members: [anne, ben] }`;

const HOUR_MS = 3_600_000;
const STEP_MS = 60_000;

/** Who is to be woken: now and next, the calendar of each schedule, and taking a shift. */
export function OnCallPage() {
  useTitle(t('On call'));
  const who = useQuery(whoQuery());
  const schedules = useQuery(oncallSchedulesQuery());
  const people = useQuery(peopleQuery());
  const { schedule: asked } = useSearch({ from: '/shell/on-call' });
  const all = schedules.data?.items ?? [];
  const schedule = all.find(({ id }) => id === asked) ?? all[0];
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('On call')}</h1>
          <p className="page-lead">{t('Who is woken when something breaks, and when the next one is.')}</p>
        </div>
      </header>
      <Waiting query={schedules} what={t('schedules')} />
      {schedules.data !== undefined && all.length === 0 ? (
        <EmptyState command={SNIPPET}>
          {t('Nobody is on call yet. Write people and a schedule into the configuration file, and its shifts stand here.')}
        </EmptyState>
      ) : null}
      {all.length === 0 ? null : <Now items={who.data?.items ?? []} />}
      {schedule === undefined ? null : (
        <ScheduleCalendar key={schedule.id} all={all} schedule={schedule} people={people.data?.items ?? []} />
      )}
      <People people={people.data?.items ?? []} />
    </div>
  );
}

function When({ atMs, relative = false }: { readonly atMs: number; readonly relative?: boolean }) {
  const now = useNow();
  return (
    <time dateTime={new Date(atMs).toISOString()} className="nowrap">
      {shiftInstant(atMs)}
      {relative ? <span className="faint">{` · ${relativeText(atMs, now)}`}</span> : null}
    </time>
  );
}

/** One card for each schedule: who, until when, and who is next. */
function Now({ items }: { readonly items: readonly WhoView[] }) {
  return (
    <Section title={t('Now')}>
      <ul className="columns-even plain-list" aria-label={t('On call now')}>
        {items.map((one) => (
          <li key={one.schedule} className="panel panel-pad shift-card">
            <p className="label">
              {one.name} <ObjectMenu kind="oncall/schedules" id={one.schedule} name={one.name} />
            </p>
            <p className="shift-who">{one.people.length === 0 ? t('Nobody is on call') : names(one.people)}</p>
            <p className="soft">
              {one.until_at_ms === null ? t('as far as can be seen') : rich('until {at}', { at: <When atMs={one.until_at_ms} relative /> })}
            </p>
            {one.next === null ? null : (
              <p className="soft">
                {one.next.from_at_ms === one.until_at_ms
                  ? t('then {names}', { names: names(one.next.people) })
                  : rich('then {names}, from {at}', { names: names(one.next.people), at: <When atMs={one.next.from_at_ms} /> })}
              </p>
            )}
            <p className="faint">{fromServer(one.reason)}</p>
          </li>
        ))}
      </ul>
    </Section>
  );
}

const names = (people: readonly { readonly name: string }[]): string => listText(people.map(({ name }) => name));

type CalendarProps = { readonly all: readonly ScheduleView[]; readonly schedule: ScheduleView; readonly people: readonly PersonView[] };

function ScheduleCalendar({ all, schedule, people }: CalendarProps) {
  const { view = 'week', day } = useSearch({ from: '/shell/on-call' });
  const nowStep = useNowStep(STEP_MS);
  const shown = shownAround(view, day, nowStep);
  const shifts = useQuery(shiftsQuery(schedule.id, shown.fromMs, shown.toMs));
  const session = useSession();
  const mayChange = useCan('operate', 'oncall');
  const me = people.find(({ user }) => user?.toLowerCase() === session.actor.name.toLowerCase());
  const [draft, setDraft] = useState<OverrideDraft | undefined>(undefined);
  const name = schedule.name ?? schedule.id;
  const nameOf = (id: string): string => people.find((person) => person.id === id)?.name ?? id;
  const take = mayChange ? (fromMs: number, toMs: number) => setDraft({ fromMs: Math.max(fromMs, nowStep), toMs }) : undefined;
  return (
    <>
      <Section
        title={name}
        aside={
          take === undefined ? undefined : (
            <Button size="xs" onClick={() => take(nowStep, nowStep + HOUR_MS)}>
              {t('Take a shift')}
            </Button>
          )
        }
      >
        <Controls all={all} schedule={schedule} shown={shown} />
        <Waiting query={shifts} what={t('shifts')} />
        {shifts.data === undefined ? null : (
          <div className="panel">
            <ShiftStrip shifts={shifts.data} shown={shown} nameOf={nameOf} />
            <GapWords shifts={shifts.data} />
            <ShiftTable shifts={shifts.data} name={name} nameOf={nameOf} take={take} />
          </div>
        )}
        <p className="faint">
          {`${t(
            'Hand-over by the clocks of {zone}. The first layer that has somebody decides; an override wins over all. Declared: {where}.',
            {
              zone: schedule.zone,
              where: schedule.origin === 'ui' ? t('here') : schedule.origin,
            },
          )}`}
        </p>
      </Section>
      {shifts.data === undefined ? null : <Overrides schedule={schedule.id} items={shifts.data.overrides} nameOf={nameOf} />}
      {mayChange ? <CalendarLinks schedule={{ id: schedule.id, name }} people={people} me={me} /> : null}
      <OverrideDialog schedule={{ id: schedule.id, name }} people={people} me={me} draft={draft} onClose={() => setDraft(undefined)} />
    </>
  );
}

const PEOPLE: readonly Column<PersonView>[] = [
  {
    id: 'name',
    header: t('Person'),
    cell: ({ id, name }) => (
      <>
        <span className="row-name">{name}</span> <ObjectMenu kind="oncall/people" id={id} name={name} />
      </>
    ),
  },
  { id: 'zone', header: t('Time zone'), label: t('time zone'), cell: ({ zone }) => zone ?? '' },
  { id: 'user', header: t('Signs in as'), label: t('signs in as'), cell: ({ user }) => user ?? <span className="faint">–</span> },
  {
    id: 'origin',
    header: t('Declared'),
    label: t('declared'),
    cell: ({ origin }) => <span className="faint">{origin === 'ui' ? t('here') : origin}</span>,
  },
];

/** Everybody who can be on call. */
function People({ people }: { readonly people: readonly PersonView[] }) {
  if (people.length === 0) return null;
  return (
    <Section title={t('People')} aside={String(people.length)}>
      <div className="panel">
        <DataTable caption={t('People who can be on call')} columns={PEOPLE} rows={people} rowKey={({ id }) => id} />
      </div>
    </Section>
  );
}

const monthOf = new Intl.DateTimeFormat(LOCALE, { month: 'long', year: 'numeric' });

function Controls({
  all,
  schedule,
  shown,
}: {
  readonly all: readonly ScheduleView[];
  readonly schedule: ScheduleView;
  readonly shown: Shown;
}) {
  const { view = 'week' } = useSearch({ from: '/shell/on-call' });
  const navigate = useNavigate({ from: '/on-call' });
  const go = (search: OnCallSearch) => void navigate({ search: (before) => ({ ...before, ...search }), resetScroll: false });
  const goToday = () => void navigate({ search: ({ day: _day, ...others }) => others, resetScroll: false });
  return (
    <div className="row-wrap" role="toolbar" aria-label={t('What is shown')}>
      {all.length < 2 ? null : (
        <SegmentedControl
          aria-label={t('Schedule')}
          size="xs"
          data={all.map(({ id, name }) => ({ value: id, label: name ?? id }))}
          value={schedule.id}
          onChange={(id) => go({ schedule: id })}
        />
      )}
      <SegmentedControl
        aria-label={t('Days')}
        size="xs"
        data={[
          { value: 'week', label: t('Week') },
          { value: 'month', label: t('Month') },
        ]}
        value={view}
        onChange={(value) => go({ view: value as 'week' | 'month' })}
      />
      <Button size="xs" variant="default" onClick={() => go({ day: shown.earlier })}>
        {t('Earlier')}
      </Button>
      <Button size="xs" variant="default" onClick={goToday}>
        {t('Today')}
      </Button>
      <Button size="xs" variant="default" onClick={() => go({ day: shown.later })}>
        {t('Later')}
      </Button>
      <strong>{monthOf.format((shown.fromMs + shown.toMs) / 2)}</strong>
    </div>
  );
}

/** Gaps in words, before anybody has to look for hatching. */
function GapWords({ shifts }: { readonly shifts: ShiftsView }) {
  const now = useNow();
  const gaps = shifts.final.filter(({ source, to_at_ms }) => source === 'nobody' && to_at_ms > now);
  if (gaps.length === 0)
    return <p className="shift-words soft">{t('Somebody is on call all the time that is shown and still to come.')}</p>;
  const lengthMs = gaps.reduce((sum, { from_at_ms, to_at_ms }) => sum + to_at_ms - Math.max(from_at_ms, now - (now % STEP_MS)), 0);
  const first = gaps[0];
  return (
    <p className="shift-words" role="status">
      <strong>{`${t('Nobody is on call for {length} of what is still to come{gaps, plural, one {} other {, in # gaps}}.', { length: lengthText(lengthMs), gaps: gaps.length })} `}</strong>
      {first === undefined ? null : (
        <span className="soft">
          {rich('{gaps, plural, one {From} other {The first is from}} {from} to {to}: {reason}.', {
            gaps: gaps.length,
            from: <When atMs={first.from_at_ms} />,
            to: <When atMs={first.to_at_ms} />,
            reason: first.reason,
          })}
        </span>
      )}
    </p>
  );
}

type Turn = ShiftsView['final'][number];
type TableProps = {
  readonly shifts: ShiftsView;
  readonly name: string;
  readonly nameOf: (person: string) => string;
  readonly take: ((fromMs: number, toMs: number) => void) | undefined;
};

function ShiftTable({ shifts, name, nameOf, take }: TableProps) {
  const now = useNow();
  const whoOf = ({ people }: Turn): string => (people.length === 0 ? t('nobody') : listText(people.map(nameOf)));
  const columns: readonly Column<Turn>[] = [
    {
      id: 'who',
      header: t('On call'),
      cell: (turn) => (
        <span className={turn.from_at_ms <= now && turn.to_at_ms > now ? 'row-name' : undefined}>
          {whoOf(turn)}
          {turn.from_at_ms <= now && turn.to_at_ms > now ? t(' (now)') : ''}
        </span>
      ),
    },
    { id: 'from', header: t('From'), label: t('from'), cell: ({ from_at_ms }) => <When atMs={from_at_ms} /> },
    { id: 'to', header: t('To'), label: t('to'), cell: ({ to_at_ms }) => <When atMs={to_at_ms} /> },
    {
      id: 'for',
      header: t('For||how long'),
      label: t('for||how long'),
      numeric: true,
      cell: (turn) => lengthText(turn.to_at_ms - turn.from_at_ms),
    },
    {
      id: 'by',
      header: t('By'),
      label: t('by'),
      cell: (turn) => (
        <span title={fromServer(turn.reason)}>
          {turn.source === 'layer' ? turn.name : turn.source === 'override' ? t('override') : t('no layer')}
        </span>
      ),
    },
    {
      id: 'act',
      header: <span className="sr-only">{t('Act')}</span>,
      cell: (turn) =>
        take === undefined || turn.to_at_ms <= now || turn.source === 'override' ? null : (
          <Button
            size="xs"
            variant="default"
            data-row
            aria-label={`${turn.people.length === 0 ? t('Fill the gap') : t('Take over from {who}', { who: whoOf(turn) })}, ${shiftInstant(turn.from_at_ms)}`}
            onClick={() => take(turn.from_at_ms, turn.to_at_ms)}
          >
            {turn.people.length === 0 ? t('Fill the gap') : t('Take over')}
          </Button>
        ),
    },
  ];
  return (
    <DataTable
      caption={t('Shifts of {name}', { name })}
      columns={columns}
      rows={shifts.final}
      rowKey={({ from_at_ms }) => String(from_at_ms)}
    />
  );
}

type OverridesProps = {
  readonly schedule: string;
  readonly items: readonly OverrideView[];
  readonly nameOf: (person: string) => string;
};

function Overrides({ schedule, items, nameOf }: OverridesProps) {
  if (items.length === 0) return null;
  return (
    <Section title={t('Overrides')} aside={t('{items} in what is shown', { items: items.length })}>
      <ul className="plain-list" aria-label={t('Overrides')}>
        {items.map((one) => (
          <Override key={one.id} schedule={schedule} one={one} nameOf={nameOf} />
        ))}
      </ul>
    </Section>
  );
}

/** One override. Taking it back asks once more. */
function Override({
  schedule,
  one,
  nameOf,
}: {
  readonly schedule: string;
  readonly one: OverrideView;
  readonly nameOf: (id: string) => string;
}) {
  const [asked, setAsked] = useState(false);
  const takeBack = useTakeBack(schedule);
  const now = useNow();
  const mayChange = useCan('operate', 'oncall');
  const name = nameOf(one.person);
  return (
    <li>
      {rich('{name} takes over from {from} to {to}', {
        name: <strong>{name}</strong>,
        from: <When atMs={one.from_at_ms} />,
        to: <When atMs={one.to_at_ms} />,
      })}
      <span className="soft">{`, ${t('said by {name}', { name: one.by })}${one.note === '' ? '' : `: ${one.note}`}`}</span>{' '}
      {!mayChange || one.to_at_ms <= now ? null : asked ? (
        <span className="row-wrap">
          <Button size="xs" variant="default" onClick={() => setAsked(false)}>
            {t('Keep it')}
          </Button>
          <Button size="xs" loading={takeBack.isPending} onClick={() => takeBack.mutate(one.id)}>
            {t('Take back the override of {name}', { name })}
          </Button>
        </span>
      ) : (
        <Button size="xs" variant="default" aria-label={t('Take back: {name}', { name })} onClick={() => setAsked(true)}>
          {t('Take back')}
        </Button>
      )}
      {takeBack.isError ? <RefusedNotice error={takeBack.error} /> : null}
    </li>
  );
}
