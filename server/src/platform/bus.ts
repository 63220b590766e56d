/**
 * Facts for spectators: the live UI, audit, analytics. Never part of the path from a sample to a notification: commands
 * are calls, facts are events. A listener that throws is logged by the bus and harms nobody else.
 */
export const TOPICS = [
  'metrics',
  'checks',
  'services',
  'slas',
  'alerts',
  'problems',
  'incidents',
  'insights',
  'notifications',
  'config',
] as const;
export type Topic = (typeof TOPICS)[number];

/** `type` is `<noun>.<past participle>`, for example `alert.fired`; `data` is the JSON that the API shows for the same thing. */
export type Fact = { readonly topic: Topic; readonly type: string; readonly atMs: number; readonly data: unknown };

export interface Bus {
  publish(fact: Fact): void;
  subscribe(listener: (fact: Fact) => void): Disposable;
}

export function createBus(onListenerError: (thrown: unknown) => void): Bus {
  const listeners = new Set<(fact: Fact) => void>();
  return {
    publish(fact) {
      for (const listener of listeners) {
        try {
          listener(fact);
        } catch (thrown) {
          onListenerError(thrown);
        }
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  };
}
