import { z } from 'zod';
import { address, common, type KindSpec, splitAddress } from '../../written.ts';

const schema = z.strictObject({ ...common, kind: z.literal('tcp'), address });

/** A connection that is accepted; nothing is sent. */
export const tcp = {
  schema,
  targetOf: (check) => check.address,
  hostOf: (check) => ({ field: 'address', host: splitAddress(check.address)?.host ?? '' }),
} satisfies KindSpec<typeof schema>;
