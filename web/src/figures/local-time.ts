/** Instants as an input of kind `datetime-local` writes them, in the reader's time zone. */

const two = (value: number): string => String(value).padStart(2, '0');

/** `2026-11-21T02:14:05`, without the zone. */
export function localTime(atMs: number): string {
  const at = new Date(atMs);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** Unix milliseconds; undefined for what is no time. */
export function instantOf(local: string): number | undefined {
  const atMs = new Date(local).getTime();
  return Number.isNaN(atMs) ? undefined : atMs;
}
