import { z } from 'zod';
import { watchConfig } from '../insights/contract.ts';

/** The configuration section `analytics`. */
export const analyticsConfig = z
  .strictObject({
    /** Expressions that insights examine besides what they examine anyway. */
    watch: watchConfig,
  })
  .prefault({});
