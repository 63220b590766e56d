/** What was opened from the palette in this browser, the latest first, until signing out clears what pages kept. */

const KEY = 'nines-opened';
const MOST = 8;

export function recents(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((one): one is string => typeof one === 'string').slice(0, MOST) : [];
  } catch {
    // Written by something else, or storage is not allowed: nothing was opened lately then.
    return [];
  }
}

export function opened(id: string): void {
  try {
    localStorage.setItem(KEY, JSON.stringify([id, ...recents().filter((one) => one !== id)].slice(0, MOST)));
  } catch {
    // Storage is full or not allowed; the palette works without.
  }
}
