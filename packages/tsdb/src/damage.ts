import type { Logger } from '@nines/base/logger.ts';
import type { Damage } from './contract.ts';

/** Places listed one by one; the counters go on. */
const MAX_PLACES = 100;

export const noDamage = (): Damage => ({
  tornTails: 0,
  tornBytes: 0,
  corruptFrames: 0,
  corruptBytes: 0,
  orphanSamples: 0,
  corruptPages: 0,
  places: [],
});

/** Logs a damaged place and remembers it. The counters are the caller's. */
export function reportDamage(
  damage: Damage,
  logger: Logger,
  { place, problem }: { readonly place: string; readonly problem: string },
): void {
  logger.warn('damage was found', { place, problem });
  if (damage.places.length < MAX_PLACES) damage.places.push(place);
}
