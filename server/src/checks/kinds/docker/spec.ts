import { z } from 'zod';
import { common, type KindSpec } from '../../written.ts';

const schema = z.strictObject({
  ...common,
  kind: z.literal('docker'),
  /** Name or id of the container. */
  container: z.string().regex(/^[a-zA-Z0-9][\w.-]{0,254}$/, 'write the name or id of a container'),
  /** Where the engine listens. Podman's is /run/podman/podman.sock. */
  socket: z.string().regex(/^\//, 'write an absolute path').default('/var/run/docker.sock'),
});

/** A container that runs and, when it has a health check of its own, is healthy. */
export const docker = {
  schema,
  local: true,
  targetOf: (check) => check.container,
  hostOf: () => undefined,
} satisfies KindSpec<typeof schema>;
