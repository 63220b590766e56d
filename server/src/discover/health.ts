import type { DiscoveryStatus } from './contract.ts';

/** Degraded while any source fails: its targets are only those that were known before. */
export function discoveryHealth(sources: readonly DiscoveryStatus[]): { readonly status: 'ok' | 'degraded'; readonly detail: string } {
  const failing = sources.filter(({ lastError }) => lastError !== '');
  const [first] = failing;
  if (first === undefined) return { status: 'ok', detail: `${sources.length} sources` };
  return { status: 'degraded', detail: `${failing.length} of ${sources.length} sources fail; ${first.config.kind}: ${first.lastError}` };
}
