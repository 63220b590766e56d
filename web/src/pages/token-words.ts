import type { TokenView } from '../api/wire.ts';

type Narrowed = Pick<TokenView, 'teams' | 'scope' | 'permits' | 'actions' | 'addresses'>;

/** What narrows a token beyond its role, one sentence each; none when nothing does. */
export function narrowingOf({ teams, scope, permits, actions, addresses }: Narrowed): readonly string[] {
  const areas = Object.entries(permits ?? {}).map(([area, verbs]) => `${area}: ${verbs.at(-1) ?? 'nothing'}`);
  return [
    ...(permits === null ? [] : [`only ${areas.length === 0 ? 'nothing' : areas.join(', ')}`]),
    ...(actions === null ? [] : [`changes alerts only by ${actions.join(', ')}`]),
    ...(teams.length === 0 ? [] : [`sees ${teams.length === 1 ? 'team' : 'teams'} ${teams.join(', ')}`]),
    ...(scope === '' ? [] : [`sees ${scope}`]),
    ...(addresses === null ? [] : [`from ${addresses.join(', ')}`]),
  ];
}
