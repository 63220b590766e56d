/**
 * How fast a channel is told, decided when a message is queued. What is more than the channel takes joins one bundle, which goes out when
 * the channel has room again, so a storm costs one message and no alert is left out. Pure but for the state that it is given.
 */

export type RateLimit = { readonly messages: number; readonly perMs: number };

export type Pace =
  | { readonly kind: 'now' }
  /** Alone, but not before this instant. */
  | { readonly kind: 'later'; readonly atMs: number }
  /** Together with others, at this instant. */
  | { readonly kind: 'bundle'; readonly atMs: number };

export type Paced = {
  readonly channel: string;
  readonly limit: RateLimit | undefined;
  /** What the alerts are about: the first message about something else does not wait behind a storm. */
  readonly service: string;
  /** The message ends or changes something that stands alone at the provider (an incident), so no bundle can say it. */
  readonly standsAlone: boolean;
};

type Bucket = { tokens: number; atMs: number };
type State = { readonly plain: Bucket; readonly express: Bucket; readonly heardAtMs: Map<string, number>; bundleAtMs: number };

/** A service that was silent for so long is news again. */
const NEWS_AFTER_MS = 600_000;
/** Services remembered per channel; the longest silent one makes room. */
const MAX_SERVICES = 10_000;

/** The pace of every channel of this process. After a restart every channel has its whole room again; bundles that waited still go out. */
export class Pacing {
  readonly #states = new Map<string, State>();

  decide({ channel, limit, service, standsAlone }: Paced, nowMs: number): Pace {
    if (limit === undefined) return { kind: 'now' };
    const state = this.#stateOf(channel, limit, nowMs);
    const news = nowMs - (state.heardAtMs.get(service) ?? Number.NEGATIVE_INFINITY) >= NEWS_AFTER_MS;
    hear(state.heardAtMs, service, nowMs);
    refill(state.plain, limit, nowMs);
    refill(state.express, limit, nowMs);
    // While a bundle waits, later messages wait with it: a resolve must not overtake what it resolves.
    if (state.bundleAtMs <= nowMs && take(state.plain)) return { kind: 'now' };
    if (news && take(state.express)) return { kind: 'now' };
    const stepMs = limit.perMs / limit.messages;
    if (standsAlone) {
      // Its place is taken now, so that the next one comes after it.
      state.plain.tokens -= 1;
      return { kind: 'later', atMs: Math.ceil(nowMs - state.plain.tokens * stepMs) };
    }
    if (state.bundleAtMs <= nowMs) {
      state.plain.tokens -= 1;
      state.bundleAtMs = Math.ceil(nowMs + Math.max(1, -state.plain.tokens) * stepMs);
    }
    return { kind: 'bundle', atMs: state.bundleAtMs };
  }

  #stateOf(channel: string, limit: RateLimit, nowMs: number): State {
    const known = this.#states.get(channel);
    if (known !== undefined) return known;
    const full = (): Bucket => ({ tokens: limit.messages, atMs: nowMs });
    const made = { plain: full(), express: full(), heardAtMs: new Map<string, number>(), bundleAtMs: 0 };
    this.#states.set(channel, made);
    return made;
  }
}

function refill(bucket: Bucket, { messages, perMs }: RateLimit, nowMs: number): void {
  // A clock that was set back gives nothing and takes nothing.
  const passedMs = Math.max(0, nowMs - bucket.atMs);
  bucket.tokens = Math.min(messages, bucket.tokens + (passedMs * messages) / perMs);
  bucket.atMs = nowMs;
}

function take(bucket: Bucket): boolean {
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

function hear(heardAtMs: Map<string, number>, service: string, nowMs: number): void {
  heardAtMs.delete(service);
  heardAtMs.set(service, nowMs);
  if (heardAtMs.size <= MAX_SERVICES) return;
  const [oldest] = heardAtMs.keys();
  if (oldest !== undefined) heardAtMs.delete(oldest);
}
