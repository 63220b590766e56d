import { createContext, useContext, useEffect } from 'react';
import type { Panel, Refresh, Source } from '../api/dashboards.ts';
import type { Band } from '../charts/plot-options.ts';
import type { View } from '../timeline/view.ts';
import type { Rows } from './export.ts';
import type { Values } from '@nines/maths/dashboards/interpolate.ts';

/** What all panels of an open dashboard share. */
export type Board = {
  readonly id: string;
  readonly view: View;
  /** Whether the view ends now and moves on. */
  readonly moves: boolean;
  readonly refresh: Refresh;
  readonly values: Values;
  /** Values are still being read: queries that name them wait. */
  readonly pendingNames: ReadonlySet<string>;
  readonly bands: readonly Band[];
  readonly onZoom: (view: View) => void;
};

export const BoardContext = createContext<Board | null>(null);

export function useBoard(): Board {
  const board = useContext(BoardContext);
  if (board === null) throw new Error('BUG: a panel outside of a dashboard');
  return board;
}

/** When samples last arrived, on this browser's clock, and how long lay between the last two arrivals. */
export type Arrivals = { readonly atMs: number; readonly everyMs: number | null };

/** What a panel's figures are worth, told to its frame. */
export type Report = {
  readonly pending: boolean;
  readonly error: Error | null;
  /** When the last answer came; 0: none yet. */
  readonly updatedAtMs: number;
  /** Of figures that the server pushes. */
  readonly arrivals?: Arrivals | undefined;
  /** What is shown, for a file: a line of names, then lines of values. */
  readonly rows: () => Rows;
  /** PromQL as it was sent. */
  readonly exprs?: readonly string[];
};

export const ReportContext = createContext<(report: Report) => void>(() => undefined);

/** Tells the frame; `stamp` changes when what is told does. */
export function useReport(report: Report, stamp: string): void {
  const tell = useContext(ReportContext);
  useEffect(() => tell(report), [tell, stamp]);
}

export type SourceOf<From extends Source['from']> = Extract<Source, { from: From }>;
export type FigurePanel = Exclude<Panel, { kind: 'text' | 'alert_list' | 'slo_budget' | 'status_timeline' | 'state' }>;
