import { z } from 'zod';

/** The browser that checks of kind `browser` share. */
export const browserConfig = z
  .strictObject({
    /** A Chromium, by absolute path; without one the usual places are looked at. */
    executable: z.string().regex(/^\//, 'write the absolute path of a program').optional(),
    /** Journeys under way at once; the others wait. */
    concurrency: z.number().int().min(1).max(16).default(2),
    /** Chromium's own sandbox. It cannot run as root; in a container it needs user namespaces. */
    sandbox: z.boolean().default(true),
  })
  .prefault({});
export type BrowserSettings = z.output<typeof browserConfig>;
