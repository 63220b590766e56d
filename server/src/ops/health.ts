import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import { HEALTH_STATUSES, type Health, type HealthStatus, type HealthView, type PartHealth } from './contract.ts';

/** A part that takes longer to say how it is, is not well. Below the usual 10 s of load balancers' probes. */
const ASK_TIMEOUT_MS = 5 * SECOND_MS;

/** Asks every registered part, all at once. The whole is as well as its worst part. */
export function createHealth(clock: Clock): Health {
  const parts = new Map<string, () => PartHealth | Promise<PartHealth>>();
  return {
    register(name, ask) {
      parts.set(name, ask);
      return { [Symbol.dispose]: () => void parts.delete(name) };
    },
    async report(): Promise<HealthView> {
      const components = await Promise.all([...parts].map(async ([name, ask]) => ({ name, ...(await askPart(clock, ask)) })));
      return { status: worst(components.map((component) => component.status)), components };
    },
  };
}

async function askPart(clock: Clock, ask: () => PartHealth | Promise<PartHealth>): Promise<PartHealth> {
  const tooLate = Promise.withResolvers<PartHealth>();
  using _timer = clock.after(ASK_TIMEOUT_MS, () =>
    tooLate.resolve({ status: 'failing', detail: `did not answer within ${ASK_TIMEOUT_MS} ms` }),
  );
  try {
    return await Promise.race([Promise.resolve(ask()), tooLate.promise]);
  } catch (thrown) {
    return { status: 'failing', detail: messageOf(thrown) };
  }
}

const worst = (statuses: readonly HealthStatus[]): HealthStatus =>
  statuses.reduce<HealthStatus>((a, b) => (HEALTH_STATUSES.indexOf(b) > HEALTH_STATUSES.indexOf(a) ? b : a), 'ok');
