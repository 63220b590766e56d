/** All of them in order, so many at a time: a statement takes some ten thousand values at most (SQLite 32 766, PostgreSQL 65 535). */
export function* chunksOf<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += size) yield all.slice(from, from + size);
}
