import type { z } from 'zod';
import { analyticsConfig } from '../config.ts';
import type { WatchSpec } from '../contract.ts';

type Written = NonNullable<NonNullable<z.input<typeof analyticsConfig>>['watch']>[number];

/** A watch as the configuration would give it. */
export function watchForTest(written: Written): WatchSpec {
  const [watch] = analyticsConfig.parse({ watch: [written] }).watch;
  if (watch === undefined) throw new Error('expected one watch');
  return watch;
}
