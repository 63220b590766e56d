/** WHOIS answers are prose with a line per fact; each registry words them in its own way. */

export type Registration =
  | { readonly kind: 'registered'; readonly endsAtMs: number }
  | { readonly kind: 'unregistered'; readonly line: string }
  /** Registered or not, the registry does not say until when. */
  | { readonly kind: 'silent' };

const EXPIRY =
  /^[ \t]*\[?(?:registry expiry date|registrar registration expiration date|expiry date|expiration date|expiration time|expires(?: on)?|expire(?: date)?|paid-till|renewal date|valid until)\]?[. \t]*:?[ \t]+(\S.*)$/im;
const UNREGISTERED = /^.*(?:no match|not found|no entries found|no data found|status:\s*free|is available for).*$/im;

export function readWhois(text: string): Registration {
  const written = EXPIRY.exec(text)?.[1]?.trim();
  const endsAtMs = written === undefined ? undefined : parseDate(written);
  if (endsAtMs !== undefined) return { kind: 'registered', endsAtMs };
  const line = UNREGISTERED.exec(text)?.[0]?.trim();
  return line === undefined ? { kind: 'silent' } : { kind: 'unregistered', line: line.slice(0, 200) };
}

/** `2027-03-01T04:00:00Z`, `2027-03-01`, `2027.03.01`, `20270301`, `01-Mar-2027`; without a zone in UTC. */
function parseDate(text: string): number | undefined {
  const iso = /^(\d{4})[-./]?(\d{2})[-./]?(\d{2})(?:[T ](\d{2}:\d{2}:\d{2})(?:\.\d+)?(Z|[+-]\d{2}:?\d{2})?)?/.exec(text);
  const named = /^(\d{1,2})[- ]([A-Za-z]{3})[a-z]*[- ](\d{4})/.exec(text);
  const day = iso === null ? (named === null ? '' : `${named[1]} ${named[2]} ${named[3]} UTC`) : `${iso[1]}-${iso[2]}-${iso[3]}`;
  const instant = Date.parse(iso?.[4] === undefined ? day : `${day}T${iso[4]}${iso[5] ?? 'Z'}`);
  return Number.isNaN(instant) ? undefined : instant;
}

/** The server that IANA refers to. */
export const referralOf = (text: string): string | undefined => /^(?:refer|whois):\s+([a-z0-9.-]+)\s*$/im.exec(text)?.[1];
