import { isFull } from '@nines/model/scope.ts';
import type { Actor } from '../platform/http/contract.ts';

/** Whether a link or a delivery is shown to somebody: who sees a part of everything knows their own only, because those of others may show more. */
export const mayKnow = ({ scope, kind, id }: Actor, row: { readonly made_by_kind: string; readonly made_by_id: string }): boolean =>
  isFull(scope) || (row.made_by_kind === kind && row.made_by_id === id);
