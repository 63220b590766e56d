import { t } from '../language/t.ts';

/** Whether every word of the filter occurs in one of the texts, whatever the case. */
export function matchesFilter(filter: string, texts: readonly string[]): boolean {
  const haystack = texts.join('\n').toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => haystack.includes(word));
}

/** What nothing does when a list is empty under its filters: `matches “x” in team web`. */
export function unmatched(filter: string, team: string | undefined): string {
  if (filter === '') return t('is of team {team}', { team: team ?? '' });
  return team === undefined ? t('matches “{filter}”', { filter }) : t('matches “{filter}” in team {team}', { filter, team });
}
