import { z } from 'zod';
import { command } from '../../../platform/programs.ts';
import { common, type KindSpec } from '../../written.ts';

const schema = z.strictObject({
  ...common,
  kind: z.literal('script'),
  /** The program by its absolute path, which `checks.commands` must list, and its arguments. No shell reads them. */
  command,
});

/** A program that exits 0 (up), 1 (degraded), 2 (down) or 3 (unknown), as the plugins of Nagios and Icinga do. */
export const script = {
  schema,
  local: true,
  targetOf: (check) => check.command[0],
  hostOf: () => undefined,
} satisfies KindSpec<typeof schema>;
