import { createHash } from 'node:crypto';
import { Secret } from './fields.ts';

/**
 * A text that is equal exactly when two settings are. Secrets print as `[redacted]` and regular expressions as nothing much, so
 * a plain `JSON.stringify` would not see them change; secrets go in as a hash.
 */
export function fingerprint(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, shown: unknown) {
    const raw = this[key];
    return raw instanceof Secret ? createHash('sha256').update(raw.reveal()).digest('base64') : shown;
  });
}
