import { err, ok } from '@nines/base/result.ts';
import type { Secrets } from '../contract.ts';
import { SecretKey, openText, sealText } from '../sealed-text.ts';

/** Seals like the real thing, with a key that lives as long as the test. */
export function createTestSecrets(): Secrets {
  const key = SecretKey.create(0);
  const keys = new Map([[key.id, key]]);
  return {
    seal: (place, text) => sealText(key, place, text),
    open: (place, sealed) => {
      const opened = openText(keys, place, sealed);
      return typeof opened === 'string' ? err(`${place.table} ${place.id} ${place.column}: ${opened}`) : ok(opened.text);
    },
  };
}
