import { NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { WrittenTarget } from '../api/escalation.ts';
import { peopleQuery, oncallSchedulesQuery } from '../api/oncall.ts';
import { channelsQuery } from '../api/queries.ts';
import { t } from '../language/t.ts';
import { type LevelDraft, isSameTarget, targetOf } from './policy-draft.ts';

type Props = {
  readonly number: number;
  readonly level: LevelDraft;
  readonly onChange: (level: LevelDraft) => void;
  readonly onRemove: (() => void) | undefined;
};

/** One level: when it is due, and whom it tells. */
export function LevelFields({ number, level, onChange, onRemove }: Props) {
  const { after, targets } = level;
  const names = useNames();
  const add = (choice: string): void => {
    const target = targetOf(choice);
    if (choice !== '' && !targets.some((one) => isSameTarget(one, target))) onChange({ after, targets: [...targets, target] });
  };
  const replace = (index: number, next: WrittenTarget | undefined): void =>
    onChange({ after, targets: targets.flatMap((one, at) => (at !== index ? [one] : next === undefined ? [] : [next])) });
  return (
    <fieldset className="form-group">
      <legend>{t('Level {number}', { number })}</legend>
      <TextInput
        label={t('Due after')}
        description={t('Since the alert fired: 0s is at once.')}
        placeholder="15m"
        value={after}
        onChange={(event) => onChange({ after: event.currentTarget.value, targets })}
      />
      {targets.map((target, index) => (
        <Target key={index} target={target} names={names} onChange={(next) => replace(index, next)} />
      ))}
      <NativeSelect label={t('Tell')} value="" onChange={(event) => add(event.currentTarget.value)} data={choicesOf(names)} />
      {onRemove === undefined ? null : (
        <div>
          <button type="button" className="plain-button" onClick={onRemove}>
            {t('Remove level {number}', { number })}
          </button>
        </div>
      )}
    </fieldset>
  );
}

type Named = readonly { readonly id: string; readonly name: string }[];
type Names = { readonly people: Named; readonly schedules: Named; readonly channels: Named };

function useNames(): Names {
  const people = useQuery(peopleQuery());
  const schedules = useQuery(oncallSchedulesQuery());
  const channels = useQuery(channelsQuery());
  return {
    people: (people.data?.items ?? []).map(({ id, name }) => ({ id, name })),
    schedules: (schedules.data?.items ?? []).map(({ id, name = id }) => ({ id, name })),
    channels: (channels.data?.items ?? []).map(({ id, kind }) => ({ id, name: `${id} (${kind})` })),
  };
}

function choicesOf({ people, schedules, channels }: Names) {
  const group = (label: string, kind: string, all: Named) =>
    all.length === 0 ? [] : [{ group: label, items: all.map(({ id, name }) => ({ value: `${kind} ${id}`, label: name })) }];
  return [
    { value: '', label: t('Choose somebody …') },
    ...group(t('Who is on call'), 'schedule', schedules),
    ...group(t('People'), 'person', people),
    ...group(t('Channels'), 'channel', channels),
    { value: 'all channels', label: t('Every channel there is') },
  ];
}

const nameIn = (all: Named, id: string): string => all.find((one) => one.id === id)?.name ?? id;

function wordOf({ person, schedule, channel }: WrittenTarget, { people, schedules, channels }: Names): string {
  if (person !== undefined) return nameIn(people, person);
  if (schedule !== undefined) return t('who is on call for {schedule}', { schedule: nameIn(schedules, schedule) });
  return channel === undefined ? t('Every channel there is') : nameIn(channels, channel);
}

function Target({
  target,
  names,
  onChange,
}: {
  readonly target: WrittenTarget;
  readonly names: Names;
  readonly onChange: (next: WrittenTarget | undefined) => void;
}) {
  const word = wordOf(target, names);
  const { to: _to, ...plain } = target;
  return (
    <div className="row-wrap">
      <span className="row-name wrap-anywhere">{word}</span>
      {target.channel === undefined ? null : (
        <TextInput
          size="xs"
          aria-label={t('Another recipient of {name}', { name: word })}
          placeholder={t('its own recipients')}
          maxLength={500}
          value={target.to ?? ''}
          onChange={(event) => onChange(event.currentTarget.value === '' ? plain : { ...target, to: event.currentTarget.value })}
        />
      )}
      <button type="button" className="plain-button" aria-label={t('Remove {name}', { name: word })} onClick={() => onChange(undefined)}>
        {t('Remove')}
      </button>
    </div>
  );
}
