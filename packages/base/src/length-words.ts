import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './units.ts';

const UNITS: readonly (readonly [name: string, sizeMs: number])[] = [
  ['d', DAY_MS],
  ['h', HOUR_MS],
  ['min', MINUTE_MS],
];
/** More units than these say nothing to a reader. */
const MAX_UNITS = 3;

/** A length as people read it: `4 min 12 s`, `2.3 s`, `250 ms`. At most three units; not negative. */
export function lengthInWords(lengthMs: number): string {
  if (lengthMs < SECOND_MS) return `${lengthMs} ms`;
  let rest = lengthMs;
  const parts: string[] = [];
  for (const [name, sizeMs] of UNITS) {
    const amount = Math.floor(rest / sizeMs);
    rest -= amount * sizeMs;
    if (amount > 0) parts.push(`${amount} ${name}`);
  }
  if (rest > 0) parts.push(`${rest / SECOND_MS} s`);
  return parts.slice(0, MAX_UNITS).join(' ');
}
