import { z } from 'zod';
import { duration } from '../../../platform/config/fields.ts';
import { common, type KindSpec, pattern } from '../../written.ts';

/** A share, `10%`, or bytes, `500MB`, `20GiB`. */
const AMOUNT = /^(\d+(?:\.\d+)?)\s*(%|B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$/;
const FACTORS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};
const amount = z.string().regex(AMOUNT, 'write a share such as "10%" or an amount such as "500MB" or "20GiB"');
const share = z.string().regex(/^\d+(?:\.\d+)?%$/, 'write a share such as "10%"');

/** What an amount means of `total`. */
export function amountOf(text: string, total: number): number {
  const [, number, unit = ''] = AMOUNT.exec(text) ?? [];
  return unit === '%' ? (Number(number) / 100) * total : Number(number) * (FACTORS[unit] ?? NaN);
}

const schema = z.strictObject({
  ...common,
  kind: z.literal('filesystem'),
  /** A file or directory. */
  path: z.string().regex(/^\//, 'write an absolute path').max(4_096),
  /** Less than this for everyone but root is down. */
  free: amount.optional(),
  /** Less than this is degraded. */
  free_warn: amount.optional(),
  free_inodes: share.optional(),
  /** Permissions exactly as `chmod` takes them: `0640`. */
  mode: z
    .string()
    .regex(/^0?[0-7]{3,4}$/, 'write permissions in octal, such as "0640"')
    .optional(),
  uid: z.int().min(0).optional(),
  gid: z.int().min(0).optional(),
  /** Files that age and number are about: names in the directory that match (RE2 syntax); all when left out. */
  files_match: pattern.optional(),
  /** Files below this number are down: a backup that was never made. */
  min_files: z.int().min(0).optional(),
  /** The newest file is at most this old. */
  newest_within: duration().optional(),
  /** The oldest file is at most this old: a queue that nobody empties. */
  oldest_within: duration().optional(),
});

/** Space, permissions and ages of files of this machine. */
export const filesystem = {
  schema,
  local: true,
  lengths: ['newest_within', 'oldest_within'],
  targetOf: (check) => check.path,
  hostOf: () => undefined,
} satisfies KindSpec<typeof schema>;
