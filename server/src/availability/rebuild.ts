import type { EpochMs } from '@nines/base/units.ts';
import { composeFrom } from '@nines/maths/slo/composite.ts';
import { around, filledFrom } from '@nines/maths/slo/imported.ts';
import type { Span, Transition } from '@nines/maths/slo/types.ts';
import type { Downtime } from './contract.ts';
import { type DowntimeStep, downVoicesOf, outagesFrom, reconcile } from './downtimes.ts';
import { draftOf, firstDifference, type Memory, type Rewrite, spliced } from './evaluate.ts';
import type { LedgerStore } from './store.ts';

/** What a service's whole time is after something was learnt about the past, as far as that differs from what stands. */
export type Rebuilt = {
  /** What we saw ourselves, or what its members' make together: the whole history. */
  readonly own: readonly Transition[];
  /** The same with what other monitors saw. */
  readonly history: readonly Transition[];
  readonly rewrites: readonly Rewrite[];
  readonly standing: readonly Downtime[];
  readonly step: DowntimeStep;
};

type Source = { readonly store: LedgerStore; readonly memory: Memory };
const BEGINNING = 0 as EpochMs;

/**
 * Reckons a service's time anew from what is stored, `fromMs` being the earliest instant that may have changed. Undefined when nothing did. A
 * composite is composed as far back as its rule holds; what a rule before it said stays.
 */
export async function rebuild(source: Source, service: string, fromMs: EpochMs): Promise<Rebuilt | undefined> {
  const { store, memory } = source;
  const stood = await store.transitionsSince({ kind: 'service', id: service }, BEGINNING);
  const own = await composedAnew(source, service, stood);
  const changedMs = firstDifference(stood, own);
  const composite = memory.services.get(service)?.composite;
  if (composite !== undefined && changedMs === undefined) return undefined;
  const sinceMs = Math.min(fromMs, changedMs ?? fromMs) as EpochMs;
  const history = filled(own, memory.imported.get(service));
  const standing = (await store.downtimesSince(sinceMs)).filter((one) => one.service === service);
  const voices = downVoicesOf(draftOf(memory), service);
  const step = reconcile(outagesFrom(history, voices, sinceMs), standing, sinceMs);
  const rewrites: readonly Rewrite[] =
    changedMs === undefined
      ? []
      : [{ kind: 'service', subject: service, fromMs: changedMs, transitions: own.filter((one) => one.atMs >= changedMs) }];
  // The attempts around an edge that stays may be forgotten by now; what was said of it then is better.
  const moved = step.changed.filter((next) => standing.every((one) => one.id !== next.id || !sameEdges(one, next)));
  return { own, history, rewrites, standing, step: { ...step, changed: moved } };
}

const sameEdges = (a: Downtime, b: Downtime): boolean => a.fromAtMs === b.fromAtMs && a.toAtMs === b.toAtMs;

async function composedAnew({ store, memory }: Source, service: string, stood: readonly Transition[]): Promise<readonly Transition[]> {
  const composite = memory.services.get(service)?.composite;
  if (composite === undefined) return stood;
  const { rule, fromMs } = composite;
  const histories: (readonly Transition[])[] = [];
  for (const { id } of rule.members) {
    histories.push(filled(await store.transitionsSince({ kind: 'service', id }, BEGINNING), memory.imported.get(id)));
  }
  const begun = stood.some((one) => one.atMs < fromMs);
  return spliced(stood, composeFrom(histories, rule, { fromMs, begun }), fromMs);
}

/** A whole history with what other monitors saw where ours saw nothing. */
export function filled(own: readonly Transition[], imported: readonly Transition[] = []): readonly Transition[] {
  const firstMs = Math.min(own[0]?.atMs ?? Number.POSITIVE_INFINITY, imported[0]?.atMs ?? Number.POSITIVE_INFINITY);
  return firstMs === Number.POSITIVE_INFINITY ? own : filledFrom(own, imported, firstMs as EpochMs);
}

/** The same for a window, given everything of our own that was in force at its start or later: of what was imported only what is near it is merged. */
export function filledWithin(own: readonly Transition[], imported: readonly Transition[] = [], window: Span): readonly Transition[] {
  const { fromMs } = window;
  const near = around(imported, window);
  const beganMs = own[0]?.atMs;
  if (beganMs === undefined || beganMs > fromMs) return filled(own, near);
  const nearMs = near[0]?.atMs ?? fromMs;
  return filledFrom(own, near, nearMs < fromMs ? (Math.max(beganMs, nearMs) as EpochMs) : beganMs);
}
