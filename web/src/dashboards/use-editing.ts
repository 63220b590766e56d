import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { type DashboardSpec, type DashboardView, type DraftView, draftQuery, dropDraft, keepDraft } from '../api/dashboards.ts';
import { type Steps, begin, redone, stepped, undone } from './steps.ts';

/** After the last change; a person who stops typing has kept what was typed. */
const KEEP_AFTER_MS = 1_500;

export type Editing = {
  readonly spec: DashboardSpec;
  /** The revision that the changes began with. */
  readonly base: number;
  /** What was left unfinished before, until it is taken up or thrown away. */
  readonly left: DraftView | null;
  readonly change: (spec: DashboardSpec) => void;
  /** One step back, or forward again; null where there is none. */
  readonly undo: (() => void) | null;
  readonly redo: (() => void) | null;
  readonly takeUp: () => void;
  readonly throwAway: () => void;
};

/** A person's own changes to a dashboard: here at once, on the server a moment later, so that a closed page loses nothing. */
export function useEditing(of: DashboardView, active: boolean): Editing {
  const client = useQueryClient();
  const { data: draft } = useQuery({ ...draftQuery(of.id), enabled: active });
  const [steps, setSteps] = useState<Steps<DashboardSpec> | undefined>(undefined);
  const [base, setBase] = useState(0);
  const own = useMemo(() => (steps === undefined ? undefined : { spec: steps.now, base }), [steps, base]);
  const [seen, setSeen] = useState(false);
  const change = useCallback(
    (spec: DashboardSpec) => {
      if (steps === undefined) setBase(of.revision);
      setSteps((before) => stepped(before ?? begin(of.spec), spec, Date.now()));
    },
    [steps === undefined, of.revision, of.spec],
  );
  useEffect(() => {
    if (!active || own === undefined) return;
    // A draft that cannot be kept is still on the page; saving says what is wrong with it.
    const timer = window.setTimeout(() => void keepDraft(of.id, own).catch(() => undefined), KEEP_AFTER_MS);
    return () => window.clearTimeout(timer);
  }, [active, own, of.id]);
  const throwAway = useCallback(() => {
    setSteps(undefined);
    setSeen(true);
    void dropDraft(of.id)
      // One that could not be dropped is offered again the next time.
      .catch(() => undefined)
      .then(() => client.setQueryData(draftQuery(of.id).queryKey, null));
  }, [client, of.id]);
  const left = own === undefined && !seen ? (draft ?? null) : null;
  return {
    spec: active ? (own?.spec ?? of.spec) : of.spec,
    base: own?.base ?? of.revision,
    left,
    change,
    undo: steps === undefined || steps.past.length === 0 ? null : () => setSteps((now) => now && undone(now)),
    redo: steps === undefined || steps.future.length === 0 ? null : () => setSteps((now) => now && redone(now)),
    takeUp: () => {
      if (draft !== undefined && draft !== null) {
        setBase(draft.base_revision);
        setSteps(begin(draft.spec));
      }
      setSeen(true);
    },
    throwAway,
  };
}
