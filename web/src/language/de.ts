import shared from './de/shared.json' with { type: 'json' };
import type { Catalogue } from './language.ts';

/** One file for each room of `web/src`; what several rooms say is in `shared`. */
export const catalogue: Catalogue = { ...shared };
