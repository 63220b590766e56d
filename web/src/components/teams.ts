import type { ServiceView } from '../api/wire.ts';
import { byName } from '../figures/list.ts';

export type Teams = {
  /** Every team that has a service, in order. */
  readonly names: readonly string[];
  /** Whether any of the services is the team's; everything is when no team is asked for. */
  has(team: string | undefined, services: readonly string[]): boolean;
};

export function teamsOf(services: readonly Pick<ServiceView, 'id' | 'team'>[]): Teams {
  const byService = new Map(services.map(({ id, team }) => [id, team]));
  const names = new Set(services.map(({ team }) => team).filter((team) => team !== ''));
  return {
    names: [...names].sort(byName),
    has: (team, ids) => team === undefined || ids.some((id) => byService.get(id) === team),
  };
}
