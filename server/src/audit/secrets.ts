import { redact } from '../platform/config/redact.ts';
import { HIDDEN } from '../platform/scrub.ts';

/** 256 random bits in base64url, as every secret that the product makes, also within a sentence, an address or a command. */
const MADE_SECRET = /[A-Za-z0-9_-]{40,}/g;
const isRandom = (run: string): boolean => /[a-z]/.test(run) && /[A-Z]/.test(run) && /\d/.test(run);

/** As the configuration is shown, and without anything that looks like a secret the product made, whatever it is called. */
export function withoutSecrets(value: unknown): unknown {
  return hide(redact(value));
}

function hide(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(MADE_SECRET, (run) => (isRandom(run) ? HIDDEN : run));
  if (Array.isArray(value)) return value.map(hide);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, hide(inner)]));
}
