/**
 * Takes secrets out of texts that people read: log lines, errors, what the process says when it dies. Two ways: every value that
 * the configuration or the API marks as a secret is known here from the moment it is parsed, and what carries one by its form
 * (accounts and tokens in addresses, authorization headers, tokens of our own) goes whoever wrote it.
 */
/** What stands where a secret stood, wherever somebody reads it. */
export const HIDDEN = '[redacted]';
/** A shorter text would stand in half of all lines by chance. */
const MIN_KNOWN_CHARS = 8;
/** Shorter parts of a path are names. */
const MIN_SEGMENT_CHARS = 20;
/** Secrets of every configuration since the start; beyond them the oldest are forgotten. */
const MAX_KNOWN = 10_000;

const known = new Set<string>();

/** From now on the value, its parts that are secret by themselves, and all of these within an address or JSON, stand in no scrubbed text. */
export function knowSecret(value: string): void {
  for (const part of [value.trim(), ...partsOf(value.trim())]) {
    if (part.length < MIN_KNOWN_CHARS) continue;
    for (const form of [part, asAddress(part), JSON.stringify(part).slice(1, -1)]) known.add(form);
  }
  for (const oldest of known) {
    if (known.size <= MAX_KNOWN) return;
    known.delete(oldest);
  }
}

/** Of a key in PEM its lines, of an address what stands behind the host, of an authorization what stands behind its scheme. */
function partsOf(value: string): readonly string[] {
  if (value.includes('\n')) return value.split(/\r?\n/).flatMap((line) => (line.startsWith('-----') ? [] : [line.trim()]));
  const [scheme = '', rest, ...more] = value.split(/\s+/);
  if (rest !== undefined && more.length === 0 && /^[a-z]{1,20}$/i.test(scheme)) return [rest];
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(value) || !URL.canParse(value)) return [];
  const { pathname, search, password } = new URL(value);
  return [decoded(password), `${pathname}${search}`, ...pathname.split('/').filter((segment) => segment.length >= MIN_SEGMENT_CHARS)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const asAddress = (text: string): string => (text.isWellFormed() ? encodeURIComponent(text) : text);

/** What follows these, in any text. The groups before the secret stay. */
const FORMS: readonly RegExp[] = [
  // https://user:password@host
  /([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/?#"'<>\\@]{1,512}(?=@)/gi,
  // ?token=…, &api_key=…
  /([?&](?:[a-z0-9._-]{0,32}(?:token|secret|passw(?:or)?d|passphrase|credential|api_?key|signature|auth)[a-z0-9._-]{0,16}|key|sig|pwd)=)[^\s&#"'<>\\]{1,4096}/gi,
  // Authorization: Bearer …
  /(\b(?:bearer|basic|apikey|genieKey)[ :=]+)[a-z0-9._~+/=-]{8,4096}/gi,
  // Tokens of our own, and of agents that join.
  /(\bn(?:ines|join)_)[A-Za-z0-9_.-]{20,128}/g,
];

/** The text without secrets. */
export function scrub(text: string): string {
  let scrubbed = text;
  for (const value of known) if (scrubbed.includes(value)) scrubbed = scrubbed.replaceAll(value, HIDDEN);
  for (const form of FORMS) scrubbed = scrubbed.replace(form, (_whole, before: string) => `${before}${HIDDEN}`);
  return scrubbed;
}

/** What is looked at beyond the end, so that a secret across it is known as a whole. */
const BEYOND_CHARS = 4_096;

/** The first `maxChars` of a long text without secrets, and without the first half of one that is cut. */
export function scrubbedStart(text: string, maxChars: number): string {
  const scrubbed = scrub(text.slice(0, maxChars + BEYOND_CHARS));
  const isCut = text.length > maxChars + BEYOND_CHARS;
  return scrubbed.slice(0, isCut ? Math.min(maxChars, Math.max(0, scrubbed.length - BEYOND_CHARS)) : maxChars);
}

/** Of an address that somebody posts to: whoever knows all of it may. */
export function knowAddress(url: string): void {
  for (const part of partsOf(url)) if (part.length >= MIN_SEGMENT_CHARS) knowSecret(part);
}
