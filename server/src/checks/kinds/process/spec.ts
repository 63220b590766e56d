import { z } from 'zod';
import { duration } from '../../../platform/config/fields.ts';
import { common, type KindSpec, pattern } from '../../written.ts';

const MAX_COUNT = 100_000;

const schema = z
  .strictObject({
    ...common,
    kind: z.literal('process'),
    /** The name of the program: its file without the path, or what the kernel calls the process. */
    name: z.string().min(1).max(255).optional(),
    /** RE2 syntax; some part of the command line, its words joined by spaces, must match. */
    command_matches: pattern.optional(),
    /** A file with the number of the process. With `name` or `command_matches` that process must be the one meant. */
    pid_file: z.string().regex(/^\//, 'write an absolute path').optional(),
    count: z
      .strictObject({ min: z.int().min(0).max(MAX_COUNT).default(1), max: z.int().min(0).max(MAX_COUNT).optional() })
      .refine(({ min, max }) => max === undefined || min <= max, 'min is greater than max')
      .prefault({}),
    /** A process that started more recently is degraded: it was restarted. */
    running_for: duration().optional(),
  })
  .superRefine(({ name, command_matches, pid_file }, context) => {
    if (name !== undefined || command_matches !== undefined || pid_file !== undefined) return;
    context.addIssue({ code: 'custom', path: ['name'], message: 'write what to look for: name, command_matches or pid_file' });
  });

/** Processes of this machine, as /proc shows them. */
export const process = {
  schema,
  local: true,
  lengths: ['running_for'],
  targetOf: (check) => check.name ?? check.command_matches ?? check.pid_file ?? '',
  hostOf: () => undefined,
} satisfies KindSpec<typeof schema>;
