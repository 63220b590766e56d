import { messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { EpochMs } from '@nines/base/units.ts';
import type { Bus } from '../platform/bus.ts';
import { type FiguresDeps, currentFigures } from './figures.ts';

/**
 * Tells the live pages of each collection: `metrics.collected` with what `GET /api/metrics/current` would answer. Returns at
 * once; a query that fails is logged and the next collection tries again.
 */
export function figuresPublisher(deps: FiguresDeps & { readonly bus: Bus; readonly logger: Logger }): (atMs: EpochMs) => void {
  return (atMs) => {
    currentFigures(deps, atMs)
      .then((data) => deps.bus.publish({ topic: 'metrics', type: 'metrics.collected', atMs, data }))
      .catch((thrown: unknown) => deps.logger.warn('current figures could not be read', { error: messageOf(thrown) }));
  };
}
