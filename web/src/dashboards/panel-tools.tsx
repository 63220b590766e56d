import { type PointerEvent, useRef } from 'react';
import type { DashboardSpec } from '../api/dashboards.ts';
import { GAP_PX, ROW_PX } from './board.tsx';
import { GRID_COLUMNS, type Shift, putAt, removed, reordered, shifted } from './draft.ts';

type Props = {
  readonly id: string;
  readonly title: string;
  readonly spec: DashboardSpec;
  readonly onChange: (spec: DashboardSpec) => void;
  readonly onEdit: () => void;
};

/** Moves, sizes, edits and removes one panel: by dragging, and by buttons for the keyboard. */
export function PanelTools({ id, title, spec, onChange, onEdit }: Props) {
  const free = spec.layout.kind === 'custom';
  const shift = (by: Shift) => onChange(shifted(spec, id, by));
  const steps: readonly (readonly [sign: string, word: string, act: () => void])[] = free
    ? [
        ['←', 'Move left', () => shift({ x: -1 })],
        ['→', 'Move right', () => shift({ x: 1 })],
        ['↑', 'Move up', () => shift({ y: -1 })],
        ['↓', 'Move down', () => shift({ y: 1 })],
        ['↔−', 'Narrower', () => shift({ w: -1 })],
        ['↔+', 'Wider', () => shift({ w: 1 })],
        ['↕−', 'Lower', () => shift({ h: -1 })],
        ['↕+', 'Taller', () => shift({ h: 1 })],
      ]
    : [
        ['←', 'Move earlier', () => onChange(reordered(spec, id, -1))],
        ['→', 'Move later', () => onChange(reordered(spec, id, 1))],
      ];
  return (
    <span className="panel-tools">
      <Drag
        word="Drag to move"
        sign="✥"
        onDrop={(event, by) => {
          if (free) return shift({ x: by.columns, y: by.rows });
          const over = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>('[data-panel]')?.dataset['panel'];
          if (over !== undefined) onChange(putAt(spec, id, over));
        }}
      />
      {free ? <Drag word="Drag to size" sign="⤡" onDrop={(_event, by) => shift({ w: by.columns, h: by.rows })} /> : null}
      {steps.map(([sign, word, act]) => (
        <button key={word} type="button" className="tool" aria-label={`${word}: ${title}`} title={word} onClick={act}>
          {sign}
        </button>
      ))}
      <button type="button" className="tool" aria-label={`Edit ${title}`} onClick={onEdit}>
        Edit
      </button>
      <button type="button" className="tool" aria-label={`Remove ${title}`} onClick={() => onChange(removed(spec, id))}>
        Remove
      </button>
    </span>
  );
}

type DragProps = {
  readonly word: string;
  readonly sign: string;
  readonly onDrop: (event: PointerEvent<HTMLElement>, by: { readonly columns: number; readonly rows: number }) => void;
};

/** A handle for the mouse and the finger; the keyboard has the buttons beside it. */
function Drag({ word, sign, onDrop }: DragProps) {
  const start = useRef<readonly [x: number, y: number] | null>(null);
  return (
    <span
      className="tool drag"
      title={word}
      aria-hidden="true"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = [event.clientX, event.clientY];
      }}
      onPointerCancel={() => (start.current = null)}
      onPointerUp={(event) => {
        if (start.current === null) return;
        const [x, y] = start.current;
        start.current = null;
        const width = event.currentTarget.closest('.dash-grid')?.clientWidth ?? window.innerWidth;
        const columns = Math.round((event.clientX - x) / (width / GRID_COLUMNS));
        onDrop(event, { columns, rows: Math.round((event.clientY - y) / (ROW_PX + GAP_PX)) });
      }}
    >
      {sign}
    </span>
  );
}
