import { type ReactNode, useCallback, useEffect, useMemo } from 'react';
import type { DashboardSpec } from '../api/dashboards.ts';
import type { View } from '../timeline/view.ts';
import { BoardGrid } from './board.tsx';
import { type Board, BoardContext } from './context.ts';
import { PanelFrame } from './panel-frame.tsx';
import { type DashboardSearch, dashboardSearch } from './search.ts';
import { TimePicker } from './time-picker.tsx';
import { boardView, useBoardNow } from './time.ts';
import { useBands } from './use-bands.ts';
import { pendingOf, useValues } from './use-values.ts';
import { VariablesBar } from './variables-bar.tsx';
import { t } from '../language/t.ts';

/** `undefined` takes a field of the address away. */
export type SearchChange = { readonly [Key in keyof DashboardSearch]?: DashboardSearch[Key] | undefined };

type Props = {
  readonly spec: DashboardSpec;
  readonly search: DashboardSearch;
  readonly onSearch: (change: SearchChange, how?: { readonly replace?: boolean }) => void;
  readonly tools?: (id: string, section: number) => ReactNode;
  readonly sectionTools?: (section: number) => ReactNode;
  /** Between what can be chosen and the panels. */
  readonly children?: ReactNode;
};

const FULL_PX = 560;

/** A dashboard with its variables, its stretch of time and its panels. */
export function BoardView({ spec, search, onSearch, tools, sectionTools, children }: Props) {
  const refresh = search.refresh ?? spec.refresh;
  const now = useBoardNow(refresh);
  const { view, moves } = boardView(search, spec.range, now);
  const known = useValues(spec.variables, search.vars, view);
  const bands = useBands(spec.annotations, view, true);
  const onZoom = useCallback(
    (next: View) => onSearch({ from: Math.round(next.fromMs), to: Math.round(next.toMs), last: undefined }),
    [onSearch],
  );
  const board: Board = useMemo(
    () => ({
      id: spec.id,
      view,
      moves,
      refresh,
      values: new Map(known.map(({ variable, chosen }) => [variable.name, chosen])),
      pendingNames: pendingOf(known),
      bands,
      onZoom,
    }),
    [spec.id, view.fromMs, view.toMs, moves, refresh, known, bands, onZoom],
  );
  const full = search.panel === undefined ? undefined : spec.panels[search.panel];
  const onFull = useCallback((id: string) => onSearch({ panel: search.panel === id ? undefined : id }), [onSearch, search.panel]);
  useEscape(full !== undefined, () => onSearch({ panel: undefined }));
  return (
    <BoardContext value={board}>
      <div className="dash-bar no-print">
        <VariablesBar
          known={known}
          onChoose={(name, values) => onSearch({ vars: withValues(search.vars, name, values) }, { replace: true })}
        />
        <TimePicker
          view={view}
          moves={moves}
          last={search.last ?? spec.range}
          refresh={refresh}
          onLast={(last) => onSearch({ last: last === spec.range ? undefined : last, from: undefined, to: undefined })}
          onView={onZoom}
          onRefresh={(next) => onSearch({ refresh: next === spec.refresh ? undefined : next }, { replace: true })}
        />
      </div>
      {children}
      {full === undefined || search.panel === undefined ? (
        <BoardGrid
          spec={spec}
          onFull={onFull}
          {...(tools === undefined ? {} : { tools })}
          {...(sectionTools === undefined ? {} : { sectionTools })}
        />
      ) : (
        <PanelFrame id={search.panel} panel={full} height={FULL_PX} full onFull={onFull} />
      )}
      {bands.length === 0 ? null : <Marks board={board} />}
    </BoardContext>
  );
}

/** Escape leads back from the panel that fills the page; not while a menu or a dialog has it. */
function useEscape(active: boolean, leave: () => void): void {
  useEffect(() => {
    if (!active) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented && document.querySelector('[role="dialog"], [role="menu"]') === null) leave();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [active, leave]);
}

function withValues(vars: DashboardSearch['vars'], name: string, values: readonly string[]): DashboardSearch['vars'] {
  const { [name]: _before, ...others } = vars ?? {};
  const next = values.length === 0 ? others : { ...others, [name]: values };
  return Object.keys(next).length === 0 ? undefined : next;
}

/** What the bands behind the charts are, in words. */
function Marks({ board: { bands } }: { readonly board: Board }) {
  const shown = [...new Set(bands.map(({ name }) => name))].slice(0, 12);
  return (
    <p className="faint small">
      {t('Behind the charts: {names}', { names: `${shown.join(', ')}${bands.length > shown.length ? ' …' : ''}` })}
    </p>
  );
}

/** The address after a change. */
export const searchAfter = (before: DashboardSearch, change: SearchChange): DashboardSearch => dashboardSearch({ ...before, ...change });
