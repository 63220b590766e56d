import { useCallback, useEffect, useState } from 'react';
import { useAlertSteps } from '../api/alerts.ts';
import type { AlertView } from '../api/wire.ts';
import { t } from '../language/t.ts';
import { type AlertAction, type Step, doneText, undoOf } from './undo.ts';

/** How long an undo is offered. */
const OFFERED_MS = 10_000;

export type Actions = {
  readonly act: (action: AlertAction, alerts: readonly AlertView[], onDone?: () => void) => void;
  readonly pending: boolean;
  readonly error: Error | null;
  /** What was done last, while it is told. */
  readonly done: { readonly text: string; readonly canUndo: boolean } | null;
  readonly undo: () => void;
};

type Done = { readonly text: string; readonly steps: readonly Step[] };

/** Acts on alerts and offers for ten seconds to take it back, by the API's own undo. */
export function useActions(): Actions {
  const { mutate, isPending, error } = useAlertSteps();
  const [done, setDone] = useState<Done | null>(null);
  useEffect(() => {
    if (done === null) return undefined;
    const timer = window.setTimeout(() => setDone(null), OFFERED_MS);
    return () => window.clearTimeout(timer);
  }, [done]);
  const act = useCallback(
    (action: AlertAction, alerts: readonly AlertView[], onDone?: () => void) => {
      if (alerts.length === 0) return;
      const ids = alerts.map(({ id }) => id);
      mutate([{ action, ids }], {
        onSuccess: () => {
          setDone({ text: doneText(action, ids.length), steps: undoOf(action, alerts) });
          onDone?.();
        },
      });
    },
    [mutate],
  );
  const undo = useCallback(() => {
    if (done === null || done.steps.length === 0) return;
    mutate(done.steps, { onSuccess: () => setDone({ text: t('Undone: {text}', { text: done.text }), steps: [] }) });
  }, [done, mutate]);
  return { act, pending: isPending, error, done: done === null ? null : { text: done.text, canUndo: done.steps.length > 0 }, undo };
}
