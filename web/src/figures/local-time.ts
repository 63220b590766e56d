/** Instants as an input of kind `datetime-local` writes them, in the reader's time zone. */

const two = (value: number): string => String(value).padStart(2, '0');

const CHARS = { minute: 16, second: 19, millisecond: 23 } as const;

/** `2026-11-21T02:14:05`, without the zone; cut off at what it is said to. */
export function localTime(atMs: number, to: keyof typeof CHARS = 'second'): string {
  const at = new Date(atMs);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
  return `${day}T${time}`.slice(0, CHARS[to]);
}

/** Unix milliseconds; undefined for what is no time. */
export function instantOf(local: string): number | undefined {
  const atMs = new Date(local).getTime();
  return Number.isNaN(atMs) ? undefined : atMs;
}
