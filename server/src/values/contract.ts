/**
 * Values keeps what queries say now in front of those who look: it evaluates a query once for all who follow it, when samples
 * arrive that it reads, and sends what changed over their live streams (docs/format/stream.md). It gives nobody what the query
 * API would not give them, and keeps nothing that nobody follows.
 */
import { z } from 'zod';
import { streamName } from '../platform/http/fields.ts';

/** Queries that one stream follows: the panels of the tabs of one browser. */
export const MAX_QUERIES_EACH = 200;
/** Different queries that are followed at a time. */
export const MAX_QUERIES = 1_000;
/** Of one person or token, on all of their streams: nobody takes all places. */
export const MAX_QUERIES_OF_ONE = 500;
/** Series of one query; wider ones are for asking, not for following. */
export const MAX_SERIES = 500;
const MAX_EXPR_CHARS = 20_000;

export const followBody = z.strictObject({
  stream: streamName,
  queries: z
    .array(
      z.strictObject({
        key: z.string().min(1).max(64).meta({ description: 'what the sender calls it' }),
        expr: z.string().min(1).max(MAX_EXPR_CHARS),
        step_ms: z
          .int()
          .min(1_000)
          .max(366 * 86_400_000)
          .nullable()
          .meta({ description: 'points at multiples of it; null: only the present values' }),
      }),
    )
    .max(MAX_QUERIES_EACH),
});
export type Followed = z.output<typeof followBody>['queries'][number];

export const followView = z.object({
  queries: z.array(
    z.object({
      key: z.string(),
      /** The query that all who follow it share; null when it is refused. */
      query: z.string().nullable(),
      error: z.object({ code: z.string(), message: z.string() }).nullable(),
    }),
  ),
});
export type FollowView = z.output<typeof followView>;
