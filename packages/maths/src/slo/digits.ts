/** How many decimals of a percentage are ever shown: a millisecond of a year is the tenth, but nobody reads that. */
const MAX_DECIMALS = 5;

/** A percentage in two parts: digits that the evidence supports, and those within its doubt. Both without the per cent sign. */
export type ProvenDigits = { readonly proven: string; readonly doubtful: string };

/**
 * The digits of an attained ratio, truncated and never rounded: 0.9999999 is 99.99999, not 100. Proven is what both bounds
 * agree on; of the rest one digit more is given, and in any case the first decimal.
 */
export function provenDigits(attained: number, bounds: readonly [low: number, high: number]): ProvenDigits {
  const text = truncatedPercent(attained, MAX_DECIMALS);
  const [low, high] = [truncatedPercent(bounds[0], MAX_DECIMALS), truncatedPercent(bounds[1], MAX_DECIMALS)];
  if (low === high) return { proven: text.replace(/\.?0+$/, ''), doubtful: '' };
  const agreed = commonLength(text, low, high);
  const point = text.indexOf('.');
  const end = Math.max(point + 2, agreed + 1);
  const proven = text.slice(0, agreed).replace(/\.$/, '');
  return { proven, doubtful: text.slice(proven.length, end).replace(/\.$/, '') };
}

/**
 * A ratio as a percentage with so many decimals (at most 11, at least 1), truncated: `99.93400`. Ratios of milliseconds of a year differ
 * from a shorter decimal by more than 1e-11, so 13 places round nothing up.
 */
export function truncatedPercent(ratio: number, decimals: number): string {
  const places = ratio.toFixed(13);
  const point = places.indexOf('.');
  const whole = `${places.slice(0, point)}${places.slice(point + 1, point + 3)}`.replace(/^0+(?=\d)/, '');
  return `${whole}.${places.slice(point + 3, point + 3 + decimals)}`;
}

/** Length of the prefix that all share; nothing when their whole parts differ in length. */
function commonLength(text: string, low: string, high: string): number {
  if (low.length !== high.length || text.length !== low.length) return 0;
  let length = 0;
  while (length < text.length && text[length] === low[length] && text[length] === high[length]) length++;
  return length;
}
