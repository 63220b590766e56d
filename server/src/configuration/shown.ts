import { createHmac } from 'node:crypto';
import { Secret } from '../platform/config/fields.ts';
import { redact } from '../platform/config/redact.ts';
import { HIDDEN } from '../platform/scrub.ts';

/** Too short to be told apart from ordinary words that stand elsewhere. */
const MIN_SECRET_CHARS = 4;
const SHOWN_DIGEST_CHARS = 8;

/**
 * What was written, for showing: whatever the checked configuration knows as a secret, and whatever looks like one, is replaced
 * by `[redacted …]`, which differs when the secret differs. `salt` keeps the digests from being guessed.
 */
export function shownOf(written: unknown, config: unknown, salt: Uint8Array): unknown {
  const secrets = new Set<string>();
  collect(config, secrets);
  const mark = (text: string): string => createHmac('sha256', salt).update(text).digest('hex').slice(0, SHOWN_DIGEST_CHARS);
  const show = (value: unknown, key: string): unknown => {
    if (typeof value === 'string') {
      if (secrets.has(value)) return marked(mark(value));
      const plain = redact(value, key);
      return plain === value ? value : plain === HIDDEN ? marked(mark(value)) : `${String(plain)} (${mark(value)})`;
    }
    if (Array.isArray(value)) return value.map((item) => show(item, key));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        name,
        // Values of headers are secrets wherever they stand.
        key === 'headers' && typeof inner === 'string' ? marked(mark(inner)) : show(inner, name),
      ]),
    );
  };
  return show(written, '');
}

/** The word, and what tells one secret from another. */
const marked = (digest: string): string => `${HIDDEN.slice(0, -1)} ${digest}]`;

function collect(value: unknown, into: Set<string>): void {
  if (value instanceof Secret) {
    if (value.reveal().length >= MIN_SECRET_CHARS) into.add(value.reveal());
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const inner of value instanceof Map ? value.values() : Object.values(value)) collect(inner, into);
}
