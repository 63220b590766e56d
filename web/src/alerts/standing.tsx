import { Button, NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type PolicyView, type StandingView, policiesQuery, standingQuery } from '../api/escalation.ts';
import type { AlertView } from '../api/wire.ts';
import { Instant } from '../components/instant.tsx';
import { Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { fromServer } from '../language/server-text.ts';
import { t, rich } from '../language/t.ts';
import { StateMark } from '../states/state-mark.tsx';
import type { MarkState } from '../states/words.ts';
import { plainText } from './plain-text.ts';
import type { AlertAction } from './undo.ts';

const MAX_CHARS = 300;

type Ladder = StandingView['ladders'][number];
type Told = Ladder['told'];

const STATUS: Readonly<Record<Ladder['status'], { readonly state: MarkState; readonly word: string }>> = {
  climbing: { state: 'degraded', word: t('Climbs') },
  paused: { state: 'maintenance', word: t('Waits') },
  exhausted: { state: 'down', word: t('At its end') },
  ended: { state: 'up', word: t('Over') },
};

const namesOf = (told: Told): string => (told.length === 0 ? t('nobody') : plainText(told.map(({ who }) => who).join(', '), MAX_CHARS));

/** Where an alert stands on its ladders: who was told, who is next and when, and what keeps it. */
export function StandingSection({ alert }: { readonly alert: AlertView }) {
  const query = useQuery(standingQuery(alert.id));
  const ladders = query.data?.ladders ?? [];
  return (
    <Section title={t('Escalation')} aside={<Link to="/escalation">{t('Policies')}</Link>}>
      <Waiting query={query} what={t('where it stands')} />
      {query.data === undefined || ladders.length > 0 ? null : (
        <p className="faint">{t('No policy took this alert: it is told by its routes alone.')}</p>
      )}
      {ladders.length === 0 ? null : (
        <ul className="plain-list" aria-label={t('Ladders')}>
          {ladders.map((one) => (
            <li key={one.ladder}>
              <StateMark {...STATUS[one.status]} /> <b>{plainText(one.name, MAX_CHARS)}</b>
              {one.next_level === null ? null : (
                <>
                  {' '}
                  {one.next_at_ms === null
                    ? t('level {level} of {levels}', { level: one.next_level, levels: one.levels })
                    : rich('level {level} of {levels} is due {at}', {
                        level: one.next_level,
                        levels: one.levels,
                        at: <Instant atMs={one.next_at_ms} />,
                      })}
                  {one.round > 1
                    ? `, ${t('climbed for the {round, selectordinal, one {#st} two {second} few {third} other {#th}} time', { round: one.round })}`
                    : ''}
                </>
              )}
              <div className="soft wrap-anywhere">
                {plainText(fromServer(one.why), MAX_CHARS)}
                {one.told.length === 0 ? '' : `; ${t('until now {names}', { names: namesOf(one.told) })}`}
              </div>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

/** The level of a policy that would be told first, and whom it reaches. */
function firstOf(policy: PolicyView | undefined): { readonly level: number; readonly reaches: Told } | null {
  const index = policy?.levels.findIndex(({ reaches }) => reaches.length > 0) ?? -1;
  const level = policy?.levels[index];
  return level === undefined ? null : { level: index + 1, reaches: level.reaches };
}

/** Says what escalating this alert does before it is done: which level, and who is told. */
export function EscalateOne({ alert, onAct }: { readonly alert: AlertView; readonly onAct: (action: AlertAction) => void }) {
  const standing = useQuery(standingQuery(alert.id));
  const policies = useQuery(policiesQuery());
  const [chosen, setChosen] = useState('');
  const ladder = standing.data?.ladders.find((one) => one.ladder === 'policy');
  const applying = (policies.data?.items ?? []).filter(({ applies }) => applies);
  const next = ladder === undefined ? firstOf(applying.find(({ id }) => id === chosen)) : ladder.by_hand;
  const name = ladder?.name ?? chosen;
  return (
    <div className="drawer-body">
      <Waiting query={standing} what={t('where it stands')} />
      {standing.data === undefined || ladder !== undefined ? null : (
        <NativeSelect
          label={t('By which policy')}
          data={[
            { value: '', label: t('The one that its route or severity names') },
            ...applying.map(({ id, name: label }) => ({ value: id, label })),
          ]}
          value={chosen}
          onChange={(event) => setChosen(event.currentTarget.value)}
        />
      )}
      <p>
        {next === null
          ? t('The first level that reaches somebody is told now.')
          : t('Level {level} of {policy} is told now: {names}.', {
              level: next.level,
              policy: plainText(name, MAX_CHARS),
              names: namesOf(next.reaches),
            })}{' '}
        {t('What is sent cannot be taken back.')}
      </p>
      <Button data-autofocus onClick={() => onAct(chosen === '' ? { name: 'escalate' } : { name: 'escalate', policy: chosen })}>
        {next === null ? t('Escalate now') : t('Tell {names} now', { names: namesOf(next.reaches) })}
      </Button>
    </div>
  );
}
