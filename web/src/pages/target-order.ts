import type { TargetView } from '../api/wire.ts';
import { matchesFilter } from '../components/matches-filter.ts';
import { byName } from '../figures/list.ts';
import { t } from '../language/t.ts';
import type { TargetsSearch } from '../shell/search.ts';
import type { MarkState } from '../states/words.ts';

/** A target's state in a word and its mark. One that is up but whose samples are not all stored is neither well nor down. */
export function targetState({ state, error }: Pick<TargetView, 'state' | 'error'>): { readonly mark: MarkState; readonly word: string } {
  if (state === 'up') return error === '' ? { mark: 'up', word: t('Up') } : { mark: 'degraded', word: t('Up, samples missing') };
  return state === 'down' ? { mark: 'down', word: t('Down') } : { mark: 'unknown', word: t('Not scraped yet') };
}

const ORDER: Readonly<Record<string, number>> = { down: 0, degraded: 1, unknown: 2, up: 3 };
const rank = (target: TargetView): number => ORDER[targetState(target).mark] ?? 9;

/** Names a target in the address: its job and where it is asked, which may be equal for targets that differ in a label. */
export const targetKey = ({ job, url, labels }: TargetView): string =>
  [job, url, ...Object.entries(labels).flatMap(([name, value]) => [name, value])].join(' ');

/** The targets that the address asks for, the unhealthy ones first. */
export function shownTargets(targets: readonly TargetView[], { q = '', job, state }: TargetsSearch): readonly TargetView[] {
  const wanted = (target: TargetView): boolean => {
    if (job !== undefined && target.job !== job) return false;
    if (state === 'troubled' && targetState(target).mark === 'up') return false;
    if (state !== undefined && state !== 'troubled' && target.state !== state) return false;
    const labels = Object.entries(target.labels).map(([name, value]) => `${name}="${value}"`);
    return q === '' || matchesFilter(q, [target.job, target.url, target.error, targetState(target).word, ...labels]);
  };
  return targets.filter(wanted).sort((a, b) => rank(a) - rank(b) || byName(a.job, b.job) || byName(a.url, b.url));
}
