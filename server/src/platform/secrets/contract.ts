import type { Result } from '@nines/base/result.ts';

/**
 * Secrets that must be used again are kept sealed in the state database: a data key for each, wrapped by the key of this data
 * directory, bound to the place where it stands. Drawn in docs/format/secrets.md.
 * Whoever adds a sealed column lists it in columns.ts, so that a rotation finds it.
 */
export type SecretPlace = {
  readonly table: string;
  /** What tells the row from others. */
  readonly id: string;
  /** Within a JSON column the path, beginning with the column's name. */
  readonly column: string;
};

export interface Secrets {
  /** The text for the column. Never the same twice. */
  seal(place: SecretPlace, text: string): string;
  /** What was sealed for this place. The error is a sentence that names the place; it was counted and logged. */
  open(place: SecretPlace, sealed: string): Result<string, string>;
}

/** Codes of `AppError`s. */
export const SECRET_CODES = {
  /** `secret-keys.json` cannot be used. */
  keysDamaged: 'secret_keys_damaged',
  /** There are sealed texts and no key. */
  keysMissing: 'secret_keys_missing',
  /** A secret that is needed does not open. */
  unreadable: 'secret_unreadable',
} as const;

/** For secrets that can be made again: what is kept, or `fresh` for as long as this process runs when that cannot be read. */
export function openedOr(
  secrets: Pick<Secrets, 'open'>,
  place: SecretPlace,
  kept: { readonly sealed: string; readonly fresh: string },
): string {
  const opened = secrets.open(place, kept.sealed);
  return opened.ok ? opened.value : kept.fresh;
}
