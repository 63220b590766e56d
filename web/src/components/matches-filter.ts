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
  if (filter === '') return `is of team ${team ?? ''}`;
  return `matches “${filter}”${team === undefined ? '' : ` in team ${team}`}`;
}
