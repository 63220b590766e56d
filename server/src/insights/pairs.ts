import type { Candidate } from './candidates.ts';

type Side = Pick<Candidate, 'role' | 'family'> & { readonly subjectKey: string };

/**
 * The pairs whose relation would tell something: how well something works, or what people watch, with what is used up or asked for.
 * Two figures of one family, or of the same subject where one is made of the other, move together by themselves.
 */
export function pairsOf(series: readonly Side[]): readonly (readonly [number, number])[] {
  const pairs: [number, number][] = [];
  series.forEach((one, i) => {
    if (!isEffect(one)) return;
    series.forEach((other, j) => {
      if (i === j || other.role === 'budget' || other.family === one.family) return;
      // Between two effects the order does not matter: one of both is enough.
      if (!isEffect(other) || (i < j && (one.role !== other.role || one.role === 'other'))) pairs.push([i, j]);
    });
  });
  return pairs;
}

const isEffect = ({ role, family }: Side): boolean => role === 'performance' || (role === 'other' && family.startsWith('watch:'));
