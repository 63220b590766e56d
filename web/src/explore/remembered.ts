/** The queries that were run in this browser, the latest first. They stay on this device, until signing out clears what pages kept. */

const KEY = 'nines-explore-history';
const MOST = 50;

export function rememberedQueries(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((one): one is string => typeof one === 'string').slice(0, MOST) : [];
  } catch {
    // Written by something else, or storage is not allowed: there is no history then.
    return [];
  }
}

function keep(queries: readonly string[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(queries));
  } catch {
    // Storage is full or not allowed; the page works without.
  }
}

export function remember(query: string): void {
  if (query.trim() === '') return;
  keep([query, ...rememberedQueries().filter((one) => one !== query)].slice(0, MOST));
}

export const forgetQueries = (): void => keep([]);
