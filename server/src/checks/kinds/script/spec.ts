import { z } from 'zod';
import { common, type KindSpec } from '../../written.ts';

const word = z
  .string()
  .max(4_096)
  .refine((text) => !text.includes('\0'), 'a word of a command cannot hold the character 0');

const schema = z.strictObject({
  ...common,
  kind: z.literal('script'),
  /** The program by its absolute path, which `checks.commands` must list, and its arguments. No shell reads them. */
  command: z
    .tuple([word.regex(/^\//, 'write the absolute path of the program')], word)
    .refine((words) => words.length <= 100, 'at most 100 words'),
});

/** A program that exits 0 (up), 1 (degraded), 2 (down) or 3 (unknown), as the plugins of Nagios and Icinga do. */
export const script = {
  schema,
  local: true,
  targetOf: (check) => check.command[0],
  hostOf: () => undefined,
} satisfies KindSpec<typeof schema>;
