import type { TokenView } from '../api/wire.ts';
import { t } from '../language/t.ts';

type Narrowed = Pick<TokenView, 'teams' | 'scope' | 'permits' | 'actions' | 'addresses'>;

/** What narrows a token beyond its role, one sentence each; none when nothing does. */
export function narrowingOf({ teams, scope, permits, actions, addresses }: Narrowed): readonly string[] {
  const areas = Object.entries(permits ?? {}).map(([area, verbs]) => `${area}: ${verbs.at(-1) ?? t('nothing')}`);
  return [
    ...(permits === null ? [] : [t('only {what}', { what: areas.length === 0 ? t('nothing') : areas.join(', ') })]),
    ...(actions === null ? [] : [t('changes alerts only by {actions}', { actions: actions.join(', ') })]),
    ...(teams.length === 0
      ? []
      : [t('sees {count, plural, one {team} other {teams}} {names}', { count: teams.length, names: teams.join(', ') })]),
    ...(scope === '' ? [] : [t('sees {what}', { what: scope })]),
    ...(addresses === null ? [] : [t('from {address}', { address: addresses.join(', ') })]),
  ];
}
