/**
 * Runs tasks one after the other, in the order in which they were asked for; one that fails does not stop those behind it. The
 * promise is the task's own.
 */
export type Turns = <T>(task: () => Promise<T>) => Promise<T>;

export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => undefined);
    return result;
  };
}
