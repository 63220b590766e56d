/**
 * Deployments: which version of a service was put where, and when, as a pipeline tells it. They stand behind charts and beside incidents,
 * because what was changed last is the first suspect. Invariants: what is told twice is one deployment; they are bounded, the oldest go
 * first. Must never decide anything about a service.
 */
import { z } from 'zod';
import { plainText, slug } from '../platform/config/fields.ts';
import { instantMs } from '../platform/http/fields.ts';

export const DEPLOYMENT_CODES = {
  notFound: 'deployment_not_found',
  noService: 'service_not_found',
  invalid: 'deployment_invalid',
} as const;

export const DEPLOYMENT_STATUSES = ['running', 'succeeded', 'failed', 'rolled_back'] as const;

const MAX_WORD_CHARS = 200;
const MAX_NOTE_CHARS = 2_000;
const word = plainText.min(1).max(MAX_WORD_CHARS);

/** `POST /api/deployments`. Of one that is known already only what is given is changed. */
export const toldDeployment = z.strictObject({
  /** The id of a service. */
  service: slug,
  /** `v1.4.2`, `9f8c2d1`. */
  version: word,
  environment: word.default('production'),
  /** When it began, in Unix milliseconds; absent: now. */
  at_ms: instantMs.optional(),
  /** When it ended. One that is told to be over ends now; one without is a mark instead of a band. */
  ended_at_ms: instantMs.optional(),
  /** Absent: `succeeded`; of one that is known: as it was. */
  status: z.enum(DEPLOYMENT_STATUSES).optional(),
  /** Where it can be looked up: the pipeline, the change. */
  url: plainText
    .max(2_000)
    .regex(/^https?:\/\//, 'write an http:// or https:// address')
    .optional(),
  /** Who did it; absent: the name of the token or person. */
  by: word.optional(),
  note: plainText.max(MAX_NOTE_CHARS).optional(),
  /**
   * What the sender calls it, such as the number of a pipeline: the same again is the same deployment. Without it, the same version of a
   * service in the same environment within ten minutes is.
   */
  key: word.optional(),
});
export type ToldDeployment = z.output<typeof toldDeployment>;

export const deploymentView = z.object({
  id: z.string(),
  service: z.string(),
  version: z.string(),
  environment: z.string(),
  status: z.enum(DEPLOYMENT_STATUSES),
  at_ms: z.number(),
  ended_at_ms: z.number().nullable(),
  url: z.string(),
  by: z.string(),
  note: z.string(),
});
export type DeploymentView = z.output<typeof deploymentView>;
