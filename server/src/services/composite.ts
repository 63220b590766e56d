import type { CompositeRule } from '@nines/maths/slo/composite.ts';
import { z } from 'zod';
import { slug } from '../platform/config/fields.ts';

/** Members of one composite. */
const MAX_MEMBERS = 100;
const MAX_WEIGHT = 1_000_000;

const members = z
  .array(slug)
  .min(1)
  .max(MAX_MEMBERS)
  .superRefine((ids, context) => {
    ids.forEach((id, i) => {
      if (ids.indexOf(id) < i) context.addIssue({ code: 'custom', path: [i], message: `the member "${id}" is named twice` });
    });
  });
const weight = z.number().int().min(1).max(MAX_WEIGHT);
const positive = z.number().int().min(1);

/** What a service consists of: all of some services, any of them, so many of them, or such a share of their weights. */
export const compositeSchema = z.union([
  z.strictObject({ all: members }),
  z.strictObject({ any: members }),
  z.strictObject({ at_least: positive, of: members }).superRefine(({ at_least: atLeast, of }, context) => {
    if (atLeast > of.length) {
      context.addIssue({ code: 'custom', path: ['at_least'], message: `at least ${atLeast} of ${of.length} members can never work` });
    }
  }),
  z.strictObject({ at_least: positive, weights: z.record(slug, weight) }).superRefine(({ at_least: atLeast, weights }, context) => {
    const values = Object.values(weights);
    const sum = values.reduce((a, b) => a + b, 0);
    if (values.length === 0 || values.length > MAX_MEMBERS) {
      context.addIssue({ code: 'custom', path: ['weights'], message: `name between one and ${MAX_MEMBERS} members` });
    } else if (atLeast > sum) {
      context.addIssue({ code: 'custom', path: ['at_least'], message: `the weights sum to ${sum}: at least ${atLeast} can never work` });
    }
  }),
]);
export type CompositeSpec = z.output<typeof compositeSchema>;

export function ruleOf(spec: CompositeSpec): CompositeRule {
  const alike = (ids: readonly string[], atLeast: number): CompositeRule => ({ members: ids.map((id) => ({ id, weight: 1 })), atLeast });
  if ('all' in spec) return alike(spec.all, spec.all.length);
  if ('any' in spec) return alike(spec.any, 1);
  if ('of' in spec) return alike(spec.of, spec.at_least);
  return { members: Object.entries(spec.weights).map(([id, of]) => ({ id, weight: of })), atLeast: spec.at_least };
}

/** Its members and where each stands within the declaration. */
export function membersOf(spec: CompositeSpec): readonly { readonly id: string; readonly path: readonly (string | number)[] }[] {
  if ('weights' in spec) return Object.keys(spec.weights).map((id) => ({ id, path: ['weights', id] }));
  const [field, ids] =
    'all' in spec ? (['all', spec.all] as const) : 'any' in spec ? (['any', spec.any] as const) : (['of', spec.of] as const);
  return ids.map((id, i) => ({ id, path: [field, i] }));
}

/** The rule in words: `all of web, db`, `2 of a, b, c`, `60 of the weight of eu (60), us (40)`. */
export function ruleInWords({ members: parts, atLeast }: CompositeRule): string {
  const names = parts.map(({ id }) => id).join(', ');
  if (parts.some((part) => part.weight !== 1)) {
    return `at least ${atLeast} of the weights of ${parts.map(({ id, weight: of }) => `${id} (${of})`).join(', ')}`;
  }
  if (atLeast === parts.length) return `all of ${names}`;
  return atLeast === 1 ? `any of ${names}` : `at least ${atLeast} of ${names}`;
}
