/**
 * Ops says how the product itself is: alive, ready, healthy in each part, and with which configuration it runs.
 * Parts register what they know of themselves; nothing here measures another part. A part that does not answer in time is
 * failing, never healthy. Secrets never appear. Must never decide anything about a watched service.
 */
export const HEALTH_STATUSES = ['ok', 'degraded', 'failing'] as const;
export type HealthStatus = (typeof HEALTH_STATUSES)[number];

/** What a part says of itself; `detail` is one plain sentence. */
export type PartHealth = { readonly status: HealthStatus; readonly detail: string };

/** `GET /api/health`. */
export type HealthView = {
  readonly status: HealthStatus;
  readonly components: readonly { readonly name: string; readonly status: HealthStatus; readonly detail: string }[];
};

export interface Health {
  /** Adds a part. Its function is asked at each report and may throw. */
  register(name: string, ask: () => PartHealth | Promise<PartHealth>): Disposable;
  report(): Promise<HealthView>;
}
