/**
 * Silences: alerts that match are told to nobody for a while, by the word of a person. The semantics are Alertmanager's:
 * an expired silence stays readable, and a change that would rewrite what a silence did makes a new one.
 * Never changes an alert and sends nothing.
 */
import { type Matcher, matcher } from '@nines/base/matcher.ts';
import { AppError } from '@nines/base/errors.ts';
import { type EpochMs, HOUR_MS } from '@nines/base/units.ts';
import { canMeet, isFull, isWithin, within } from '@nines/model/scope.ts';
import { z } from 'zod';
import { plainText } from '../platform/config/fields.ts';
import type { Actor } from '../platform/http/contract.ts';
import { instantMs } from '../platform/http/fields.ts';

/** How long an ended silence is listed. Source: alertmanager's `--data.retention`. */
export const SILENCE_RETENTION_MS = 120 * HOUR_MS;
/** Silences that have not ended; more than this is a rule that should be changed. */
export const MAX_SILENCES = 10_000;
const MAX_MATCHERS = 100;
const MAX_TEXT_CHARS = 4_000;

export const SILENCE_STATES = ['pending', 'active', 'expired'] as const;
export type SilenceState = (typeof SILENCE_STATES)[number];

export const SILENCE_CODES = {
  notFound: 'silence_not_found',
  invalid: 'silence_invalid',
  tooMany: 'too_many_silences',
} as const;

/** In force over `[startsAtMs, endsAtMs)`. */
export type Silence = {
  readonly id: string;
  readonly matchers: readonly Matcher[];
  readonly startsAtMs: EpochMs;
  readonly endsAtMs: EpochMs;
  readonly createdBy: string;
  readonly comment: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly updatedAtMs: EpochMs;
};

/** What somebody asks for; with an `id` it changes that silence. */
export type SilenceDraft = Omit<Silence, 'id' | 'updatedAtMs'> & { readonly id: string | undefined };

const wellFormed = plainText.max(MAX_TEXT_CHARS);

export const matcherSchema = z
  .strictObject({ name: wellFormed.min(1), op: z.enum(['=', '!=', '=~', '!~']).default('='), value: wellFormed })
  .transform(({ name, op, value }, context): Matcher => {
    const made = matcher(name, op, value);
    if (made.ok) return made.value;
    context.addIssue({ code: 'custom', message: made.error, path: ['value'] });
    return z.NEVER;
  });

/** The body of `POST /api/silences` and `PUT /api/silences/{id}`. */
export const silenceSchema = z.strictObject({
  matchers: z.array(matcherSchema).min(1).max(MAX_MATCHERS),
  /** Now when absent. */
  starts_at_ms: instantMs.optional(),
  ends_at_ms: instantMs,
  comment: wellFormed.min(1),
  annotations: z.record(z.string(), wellFormed).default({}),
});

export const silenceView = z.object({
  id: z.string(),
  state: z.enum(SILENCE_STATES),
  matchers: z.array(z.object({ name: z.string(), op: z.enum(['=', '!=', '=~', '!~']), value: z.string() })),
  starts_at_ms: z.number(),
  ends_at_ms: z.number(),
  created_by: z.string(),
  comment: z.string(),
  annotations: z.record(z.string(), z.string()),
  updated_at_ms: z.number(),
});
export type SilenceView = z.infer<typeof silenceView>;

/** Reads for the pipeline. */
export interface Silencing {
  /** The silences that keep an alert with these labels from people at that instant, the one that ends last first. */
  silencing(labels: Readonly<Record<string, string>>, atMs: EpochMs): readonly Silence[];
}

/** Silences for other domains that show and change them. Refusals are `AppError`s with `SILENCE_CODES`. */
export interface SilenceBook extends Silencing {
  /** Active ones by their end, then pending ones by their start, then expired ones, the latest first. */
  list(): readonly Silence[];
  get(id: string): Promise<Silence>;
  /** Makes a silence or changes the one that the draft names. */
  put(draft: SilenceDraft, actor: Actor): Promise<Silence>;
  /** Ends a silence now; one that has ended stays as it is. */
  expire(id: string, actor: Actor): Promise<Silence>;
  viewOf(silence: Silence): SilenceView;
}

/** Who asks: `sees` is told of labels. */
export type Asking = { readonly actor: Actor; sees(labels: Readonly<Record<string, string>>): boolean };

/** Whether a silence can hold back an alert that is seen. One about a service is that service's. */
export function seesSilence(asking: Asking, { matchers }: Pick<Silence, 'matchers'>): boolean {
  if (isFull(asking.actor.scope)) return true;
  const service = matchers.find(({ name, op }) => name === 'service' && op === '=');
  return canMeet(asking.actor.scope, matchers) && (service === undefined || asking.sees({ service: service.value }));
}

/** A silence that is seen. `AppError` `silence_not_found`. */
export async function seenSilence(silences: SilenceBook, id: string, asking: Asking): Promise<Silence> {
  const silence = await silences.get(id);
  if (seesSilence(asking, silence)) return silence;
  throw new AppError('not_found', SILENCE_CODES.notFound, `there is no silence ${id}`);
}

/** A silence that may be changed: it holds back nothing that is not seen. `AppError` `silence_not_found`, `outside_scope`. */
export async function ownSilence(silences: SilenceBook, id: string, asking: Asking): Promise<Silence> {
  const silence = await seenSilence(silences, id, asking);
  if (isWithin(asking.actor.scope, silence.matchers)) return silence;
  throw new AppError('forbidden', 'outside_scope', 'this silence also holds back alerts outside your scope');
}

/** The draft with the matchers of the scope of whoever makes it: what they do not see they do not silence. */
export async function draftWithin(silences: SilenceBook, draft: SilenceDraft, asking: Asking): Promise<SilenceDraft> {
  if (isFull(asking.actor.scope)) return draft;
  if (draft.id !== undefined) await ownSilence(silences, draft.id, asking);
  return { ...draft, matchers: within(asking.actor.scope, draft.matchers) };
}
