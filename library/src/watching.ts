import { messageOf } from '@nines/base/errors.ts';
import type { AlertView } from '@nines/server/alerting/contract.ts';
import type { Parts } from '@nines/server/parts.ts';
import type { Fact } from '@nines/server/platform/bus.ts';
import type { Events, HealthLevel, Snapshot } from './contract.ts';

/** The listeners of a program. */
export class Watching implements Disposable {
  readonly #listeners = new Set<{ readonly event: keyof Events; readonly tell: (told: never) => void }>();
  readonly #stack = new DisposableStack();

  constructor({ shared: { bus, logger }, availability }: Pick<Parts, 'shared' | 'availability'>) {
    const failed = (event: keyof Events, thrown: unknown): void => logger.error('a listener failed', { event, error: messageOf(thrown) });
    const tell = <E extends keyof Events>(event: E, told: Events[E]): void => {
      for (const listener of this.#listeners) {
        if (listener.event !== event) continue;
        try {
          // The set keeps a listener with the name of its own event.
          (listener.tell as (told: Events[E]) => void)(told);
        } catch (thrown) {
          failed(event, thrown);
        }
      }
    };
    this.#stack.use(bus.subscribe((fact) => tellFact(fact, tell)));
    this.#stack.use(
      availability.onStateChange(({ service, state, previous, sinceMs }) =>
        tell('service', { service, state, previous, since_ms: sinceMs }),
      ),
    );
  }

  on<E extends keyof Events>(event: E, tell: (told: Events[E]) => void): Disposable {
    const listener = { event, tell };
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  [Symbol.dispose](): void {
    this.#listeners.clear();
    this.#stack.dispose();
  }
}

type Tell = <E extends keyof Events>(event: E, told: Events[E]) => void;
type HealthFact = { readonly check: string; readonly level: HealthLevel; readonly previous: HealthLevel };

/** Facts carry what the API shows, which is what listeners are told. */
function tellFact({ type, atMs, data }: Fact, tell: Tell): void {
  if (type === 'metrics.collected') return tell('snapshot', data as Snapshot);
  if (type === 'health.changed') return tell('health', { at_ms: atMs, ...(data as HealthFact) });
  if (type.startsWith('alert.') && type !== 'alert.escalation')
    return tell('alert', { at_ms: atMs, change: type.slice('alert.'.length), alert: data as AlertView });
}
