import { z } from 'zod';
import { HEALTH_CHECKS, type HealthCheckId, MEASURES, type Measure, type Thresholds } from './measures.ts';

/** From when on a figure is a warning and critical; what is left out keeps its default, `false` looks away. */
function thresholdsOf({ warning, critical }: Thresholds) {
  const levels = z
    .strictObject({ warning: z.number().default(warning), critical: z.number().default(critical) })
    .refine((given) => given.warning <= given.critical, { path: ['warning'], message: 'a warning comes before what is critical' });
  return z.union([z.literal(false), levels]).prefault({});
}

const sectionOf = (check: string) =>
  z
    .strictObject(Object.fromEntries(MEASURES.filter((one) => one.check === check).map((one) => [one.id, thresholdsOf(one.thresholds)])))
    .prefault({});

/** The section `health`: thresholds of the built-in health checks, by check and figure. Takes effect at the next start. */
export const healthConfig = z
  .strictObject(Object.fromEntries(Object.keys(HEALTH_CHECKS).map((check) => [check, sectionOf(check)])))
  .prefault({});
export type HealthConfig = z.output<typeof healthConfig>;

/** What is looked at, with the thresholds that are in force. */
export const measuresOf = (config: HealthConfig): readonly Measure[] =>
  MEASURES.flatMap((measure) => {
    const given = config[measure.check satisfies HealthCheckId]?.[measure.id];
    return given === false ? [] : { ...measure, thresholds: given ?? measure.thresholds };
  });
