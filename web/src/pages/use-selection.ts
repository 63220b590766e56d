import { useState } from 'react';
import { toggleSelection } from './selection.ts';

export type Selection = {
  readonly size: number;
  readonly has: (id: string) => boolean;
  /** `range` selects everything between the last toggled row and this one. */
  readonly toggle: (id: string, range: boolean) => void;
  readonly all: (chosen: boolean) => void;
  readonly clear: () => void;
};

/** Many rows chosen at once. Rows that left the list are no longer chosen. */
export function useSelection(ids: readonly string[]): Selection {
  const [state, setState] = useState<{ readonly chosen: ReadonlySet<string>; readonly anchor: string | null }>({
    chosen: new Set(),
    anchor: null,
  });
  const present = ids.filter((id) => state.chosen.has(id));
  return {
    size: present.length,
    has: (id) => state.chosen.has(id),
    toggle: (id, range) =>
      setState((before) => ({ chosen: toggleSelection(ids, before.chosen, { id, anchor: range ? before.anchor : null }), anchor: id })),
    all: (chosen) => setState({ chosen: new Set(chosen ? ids : []), anchor: null }),
    clear: () => setState({ chosen: new Set(), anchor: null }),
  };
}
