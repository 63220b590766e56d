/** An escalation policy while it is written. Pure. */
import { formatDuration } from '@nines/base/duration.ts';
import type { PolicyView, WrittenPolicy, WrittenTarget } from '../api/escalation.ts';
import { slugOf } from '../pages/service-draft.ts';

export type LevelDraft = { readonly after: string; readonly targets: readonly WrittenTarget[] };
export type PolicyDraft = {
  readonly id: string | undefined;
  readonly name: string;
  readonly levels: readonly LevelDraft[];
  readonly times: string;
  readonly every: string;
  /** What the form does not ask for stays as it was. */
  readonly kept: Pick<WrittenPolicy, 'hours' | 'outside'>;
};

/** What a new one begins with: somebody at once, somebody else when nobody took it. */
export const EMPTY: PolicyDraft = {
  id: undefined,
  name: '',
  levels: [
    { after: '0s', targets: [] },
    { after: '15m', targets: [] },
  ],
  times: '0',
  every: '1h',
  kept: {},
};

export const draftOf = ({ id, name, levels, repeat, hours, outside }: PolicyView): PolicyDraft => ({
  id,
  name,
  levels: levels.map(({ after_ms: afterMs, targets }) => ({ after: formatDuration(afterMs), targets })),
  times: String(repeat.times),
  every: formatDuration(repeat.every_ms),
  kept: {
    ...(hours === null ? {} : { hours: hours as NonNullable<WrittenPolicy['hours']> }),
    ...(outside === null ? {} : { outside }),
  },
});

/** What is sent. Levels that tell nobody yet are left out, so that what is there can be looked at. */
export function policyOf({ id, name, levels, times, every, kept }: PolicyDraft): WrittenPolicy {
  const count = Number(times);
  return {
    id: id ?? slugOf(name),
    name: name.trim(),
    levels: levels
      .filter(({ targets }) => targets.length > 0)
      .map(({ after, targets }) => ({ after: after.trim() === '' ? '0s' : after.trim(), targets: [...targets] })),
    repeat: { times: Number.isInteger(count) && count >= 0 ? count : 0, ...(every.trim() === '' ? {} : { every: every.trim() }) },
    ...kept,
  };
}

/** How a target is chosen in a list: `channel chat`, `person anne`, `schedule shop`, `all channels`. */
export function targetOf(choice: string): WrittenTarget {
  const at = choice.indexOf(' ');
  const [kind, id] = [choice.slice(0, at), choice.slice(at + 1)];
  if (kind === 'all') return { all: 'channels' };
  return kind === 'person' ? { person: id } : kind === 'schedule' ? { schedule: id } : { channel: id };
}

export const isSameTarget = (a: WrittenTarget, b: WrittenTarget): boolean =>
  a.channel === b.channel && a.to === b.to && a.person === b.person && a.schedule === b.schedule && a.all === b.all;
