import { isIP } from 'node:net';
import { z } from 'zod';
import { common, type KindSpec } from '../../written.ts';

const schema = z.strictObject({
  ...common,
  kind: z.literal('icmp'),
  host: z.string().refine((host) => isIP(host) !== 0 || /^(?!-)[A-Za-z0-9_.-]{1,253}$/.test(host), 'write a host name or an address'),
  /** Bytes of data in the packet. */
  size: z.number().int().min(0).max(65_507).default(56),
  /** Routers that the packet may pass. */
  ttl: z.number().int().min(1).max(255).optional(),
});

/** One echo request, sent by the system's `ping`: an answer is up. */
export const icmp = {
  schema,
  targetOf: (check) => check.host,
  hostOf: (check) => ({ field: 'host', host: check.host }),
} satisfies KindSpec<typeof schema>;
