/**
 * Runs tasks one after the other, in the order in which they were asked for; one that fails does not stop those behind it. The
 * promise is the task's own.
 */
export type Turns = <T>(task: () => Promise<T>) => Promise<T>;

export function createTurns(): Turns {
  const turn = createKeyedTurns();
  return (task) => turn('', task);
}

/** Turns of their own for each key; a key is kept as long as one of its tasks waits or runs. */
export type KeyedTurns = <T>(key: string, task: () => Promise<T>) => Promise<T>;

export function createKeyedTurns(): KeyedTurns {
  const last = new Map<string, Promise<unknown>>();
  return (key, task) => {
    const result = (last.get(key) ?? Promise.resolve()).then(task);
    const ended: Promise<unknown> = result
      .catch(() => undefined)
      .then(() => {
        if (last.get(key) === ended) last.delete(key);
      });
    last.set(key, ended);
    return result;
  };
}
