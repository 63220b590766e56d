/** What keeps alerts from people beside their handling, asked once per flush. */
import { epochMs } from '@nines/base/units.ts';
import type { AlertView } from '../alerting/contract.ts';
import type { Silence, Silencing } from '../silences/contract.ts';
import type { Held, Muting } from './evaluate.ts';
import type { Inhibiting, Inhibition } from './inhibit.ts';
import { rfc3339 } from './message.ts';
import type { Intervals } from './route.ts';
import { type NamedIntervals, isWithin } from './time-interval.ts';

/** Since when an alert flaps, and when it is steady unless it changes before; undefined when it is. */
export type FlappingOf = (alert: AlertView, atMs: number) => { readonly sinceMs: number; readonly untilMs: number } | undefined;

/** Absent: nothing of the kind is configured. */
export type Holding = {
  readonly silences?: Silencing | undefined;
  readonly inhibiting?: Inhibiting | undefined;
  readonly flapping?: FlappingOf | undefined;
  readonly intervals?: readonly NamedIntervals[] | undefined;
};

export const heldAt = (nowMs: number, { silences, inhibiting, flapping, intervals = [] }: Holding): Held => ({
  silenced: (labels) => silenced(silences?.silencing(labels, epochMs(nowMs))),
  inhibited: (labels) => inhibited(inhibiting?.(labels)),
  flapping: (alert) => unsteady(flapping?.(alert, nowMs)),
  resting: (of) => resting(of, { intervals, nowMs }),
});

/** The silence that ends last names the cause. */
function silenced(silences: readonly Silence[] = []): Muting | undefined {
  const [last] = silences;
  if (last === undefined) return undefined;
  const { id, createdBy, comment, endsAtMs } = last;
  return { cause: `silenced by ${createdBy} until ${rfc3339(endsAtMs)}: ${comment} (silence ${id})`, untilMs: endsAtMs };
}

/** The cause is the same for all that is kept back while it flaps. */
function unsteady(flapping: ReturnType<FlappingOf>): Muting | undefined {
  if (flapping === undefined) return undefined;
  return { cause: `flapping since ${rfc3339(flapping.sinceMs)}: told again when it is steady`, untilMs: flapping.untilMs, ofResolve: true };
}

function inhibited(inhibition: Inhibition | undefined): Muting | undefined {
  if (inhibition === undefined) return undefined;
  const { source, rule } = inhibition;
  return { cause: `inhibited by ${source.alertname} (alert ${source.id}): ${rule}`, untilMs: null, sourceId: source.id };
}

/** Whether a route keeps quiet now. A name that the newest configuration lacks holds nothing back. */
function resting(
  { mute, active }: Intervals,
  { intervals, nowMs }: { readonly intervals: readonly NamedIntervals[]; readonly nowMs: number },
): Muting | undefined {
  const named = (names: readonly string[]) => intervals.filter(({ name }) => names.includes(name));
  const begun = named(mute).find(({ time_intervals: spans }) => isWithin(spans, nowMs));
  if (begun !== undefined) return { cause: `muted in the time interval "${begun.name}"`, untilMs: null };
  const speaking = named(active);
  if (speaking.length === 0 || speaking.some(({ time_intervals: spans }) => isWithin(spans, nowMs))) return undefined;
  return { cause: `outside of the time intervals ${speaking.map(({ name }) => `"${name}"`).join(', ')}`, untilMs: null };
}
