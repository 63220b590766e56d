/** The stretch of time a dashboard shows, and how often it looks again. */
import { parseDuration } from '@nines/base/duration.ts';
import { useEffect, useState } from 'react';
import type { Refresh } from '../api/dashboards.ts';
import type { View } from '../timeline/view.ts';
import type { DashboardSearch } from './search.ts';

export const LASTS = ['15m', '1h', '6h', '24h', '7d', '30d', '90d'] as const;

const EVERY_MS: Readonly<Record<Refresh, number>> = { live: 1_000, '5s': 5_000, '30s': 30_000, '1m': 60_000, off: 0 };
export const everyMs = (refresh: Refresh): number => EVERY_MS[refresh];

const DEFAULT_MS = 6 * 3_600_000;

export function lengthOf(text: string): number {
  const parsed = parseDuration(text);
  return parsed.ok ? parsed.value : DEFAULT_MS;
}

/** Ends that the address names, or the last stretch up to now. */
export function boardView(search: DashboardSearch, range: string, nowMs: number): { readonly view: View; readonly moves: boolean } {
  if (search.from !== undefined && search.to !== undefined) return { view: { fromMs: search.from, toMs: search.to }, moves: false };
  return { view: { fromMs: nowMs - lengthOf(search.last ?? range), toMs: nowMs }, moves: true };
}

/** The present instant, moving on as often as asked; it rests while nobody sees the page, and is fresh when it is seen again. */
export function useBoardNow(refresh: Refresh): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const tick = () => {
      if (!document.hidden) setNow(Date.now());
    };
    document.addEventListener('visibilitychange', tick);
    const every = everyMs(refresh);
    const timer = every === 0 ? undefined : window.setInterval(tick, every);
    return () => {
      document.removeEventListener('visibilitychange', tick);
      window.clearInterval(timer);
    };
  }, [refresh]);
  return now;
}
