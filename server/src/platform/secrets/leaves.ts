import { randomBytes } from 'node:crypto';
import { AppError } from '@nines/base/errors.ts';
import { Secret } from '../config/fields.ts';
import { SECRET_CODES, type SecretPlace, type Secrets } from './contract.ts';

/** Secrets within a declaration that is kept as JSON: `{"$sealed":"…"}` where the text would stand. Drawn in docs/format/secrets.md. */
const MARK = '$sealed';
const STAND_IN_BYTES = 32;

/** A copy in which every leaf went through `to`; `path` is `expect.status`, `headers.accept`, `steps.0.url`. */
export function mapLeaves(value: unknown, to: (leaf: unknown, path: string) => unknown, path = ''): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Secret) return to(value, path);
  const below = (key: string | number): string => (path === '' ? String(key) : `${path}.${key}`);
  if (Array.isArray(value)) return value.map((item, index) => mapLeaves(item, to, below(index)));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapLeaves(inner, to, below(key))]));
}

/** What stands in the database for the secret at `place`. */
export const sealedLeaf = (secrets: Pick<Secrets, 'seal'>, place: SecretPlace, secret: Secret): unknown => ({
  [MARK]: secrets.seal(place, secret.reveal()),
});

export type OpenedLeaves = {
  /** The declaration as a person would write it. */
  readonly value: unknown;
  /** What stands there for a secret that cannot be read: random, so that it opens nothing; by it the path. */
  readonly standIns: ReadonlyMap<string, string>;
  /** Where sealed texts stood. */
  readonly sealedAt: ReadonlySet<string>;
};

/** `place.column` is the JSON column; paths continue it. */
export function openLeaves(secrets: Pick<Secrets, 'open'>, place: SecretPlace, kept: unknown): OpenedLeaves {
  const standIns = new Map<string, string>();
  const sealedAt = new Set<string>();
  const open = (value: unknown, path: string): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const below = (key: string | number): string => (path === '' ? String(key) : `${path}.${key}`);
    if (Array.isArray(value)) return value.map((item, index) => open(item, below(index)));
    const entries = Object.entries(value);
    const [only] = entries;
    if (entries.length !== 1 || only?.[0] !== MARK || typeof only[1] !== 'string')
      return Object.fromEntries(entries.map(([key, inner]) => [key, open(inner, below(key))]));
    sealedAt.add(path);
    const opened = secrets.open(placeBelow(place, path), only[1]);
    if (opened.ok) return opened.value;
    const standIn = randomBytes(STAND_IN_BYTES).toString('base64url');
    standIns.set(standIn, path);
    return standIn;
  };
  return { value: open(kept, ''), standIns, sealedAt };
}

export const placeBelow = (place: SecretPlace, path: string): SecretPlace => ({ ...place, column: `${place.column}.${path}` });

/** Whether a parsed declaration has a secret that an older version kept open. */
export function keptOpen(parsed: unknown, { sealedAt }: OpenedLeaves): boolean {
  let found = false;
  mapLeaves(parsed, (leaf, path) => void (found ||= leaf instanceof Secret && !sealedAt.has(path)));
  return found;
}

/** What could not be read must be written anew before it is saved. `AppError` `secret_unreadable`. */
export function refuseStandIns(declaration: unknown, standIns: ReadonlySet<string>): void {
  mapLeaves(declaration, (leaf, path) => {
    if (!(leaf instanceof Secret) || !standIns.has(leaf.reveal())) return;
    throw new AppError('conflict', SECRET_CODES.unreadable, `${path} could not be read from the database; write it anew`, { field: path });
  });
}
