/**
 * Every configuration that was applied: kept, compared, put back. What is shown has its secrets replaced; the text of the file is
 * kept sealed, so that it can be put back word for word.
 * Must never show a secret, apply what was not validated, or write any file but the configuration's own.
 */
import { z } from 'zod';

export const CONFIGURATION_CAUSES = ['start', 'reload', 'restore'] as const;
export type ConfigurationCause = (typeof CONFIGURATION_CAUSES)[number];

export const CONFIGURATION_CODES = {
  notFound: 'configuration_not_found',
  /** The server was started without a file, or may not write it. */
  notWritable: 'configuration_not_writable',
  unreadable: 'configuration_unreadable',
} as const;

/** One value that differs. What was added has no `before`, what was removed no `after`. */
export const configurationChange = z.object({
  /** `services[shop].checks[web].interval`: members of lists by their id or name where they have one. */
  path: z.string(),
  kind: z.enum(['added', 'removed', 'changed']),
  before: z.unknown(),
  after: z.unknown(),
});
export type ConfigurationChange = z.infer<typeof configurationChange>;

export const configurationView = z.object({
  version: z.int(),
  at_ms: z.int(),
  cause: z.enum(CONFIGURATION_CAUSES),
  by: z.object({ kind: z.string(), id: z.string() }),
  /** The same as that of another version exactly when both say the same, secrets included. */
  digest: z.string(),
  /** Keys that took effect at the next start only. */
  pending: z.array(z.string()),
  /** Values that do not come from the file: the variable or flag by path. */
  overrides: z.array(z.object({ path: z.string(), source: z.string() })),
});
export type ConfigurationView = z.infer<typeof configurationView>;

/** What was applied, as the service is told of it. */
export type Applied = {
  /** As written, secrets too. */
  readonly written: unknown;
  /** Checked and defaulted: its `Secret`s say what of `written` is secret. */
  readonly config: unknown;
  readonly text: string | undefined;
  readonly overrides: readonly { readonly path: readonly string[]; readonly source: string }[];
  /** Files that the configuration names, by path. */
  readonly files: Readonly<Record<string, string>>;
};
