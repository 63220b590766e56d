import { type PointerEvent, useRef } from 'react';
import type { DashboardSpec } from '../api/dashboards.ts';
import { GAP_PX, ROW_PX } from './board.tsx';
import { t } from '../language/t.ts';
import { GRID_COLUMNS, type Shift, putAt, removed, reordered, shifted } from './draft.ts';
import { duplicated, movedToSection, sectionOf } from './sections.ts';

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
        ['←', t('Move left'), () => shift({ x: -1 })],
        ['→', t('Move right'), () => shift({ x: 1 })],
        ['↑', t('Move up'), () => shift({ y: -1 })],
        ['↓', t('Move down'), () => shift({ y: 1 })],
        ['↔−', t('Narrower'), () => shift({ w: -1 })],
        ['↔+', t('Wider'), () => shift({ w: 1 })],
        ['↕−', t('Lower'), () => shift({ h: -1 })],
        ['↕+', t('Taller'), () => shift({ h: 1 })],
      ]
    : [
        ['←', t('Move earlier'), () => onChange(reordered(spec, id, -1))],
        ['→', t('Move later'), () => onChange(reordered(spec, id, 1))],
      ];
  return (
    <span className="panel-tools">
      <Drag
        word={t('Drag to move')}
        sign="✥"
        onDrop={(event, by) => {
          if (free) return shift({ x: by.columns, y: by.rows });
          const over = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>('[data-panel]')?.dataset['panel'];
          if (over !== undefined) onChange(putAt(spec, id, over));
        }}
      />
      {free ? <Drag word={t('Drag to size')} sign="⤡" onDrop={(_event, by) => shift({ w: by.columns, h: by.rows })} /> : null}
      {steps.map(([sign, word, act]) => (
        <button key={word} type="button" className="tool" aria-label={`${word}: ${title}`} title={word} onClick={act}>
          {sign}
        </button>
      ))}
      <button type="button" className="tool" aria-label={t('Edit {title}', { title })} onClick={onEdit}>
        {t('Edit')}
      </button>
      <button
        type="button"
        className="tool"
        aria-label={t('Duplicate {title}', { title })}
        onClick={() => onChange(duplicated(spec, id).spec)}
      >
        {t('Duplicate')}
      </button>
      <button type="button" className="tool" aria-label={t('Remove {title}', { title })} onClick={() => onChange(removed(spec, id))}>
        {t('Remove')}
      </button>
      <ToSection id={id} title={title} spec={spec} onChange={onChange} />
    </span>
  );
}

/** Another section for the panel, where there are several. */
function ToSection({ id, title, spec, onChange }: Omit<Props, 'onEdit'>) {
  const { sections } = spec.layout;
  if (sections.length < 2) return null;
  return (
    <select
      className="tool"
      aria-label={t('Section of {title}', { title })}
      value={sectionOf(spec, id)}
      onChange={(event) => onChange(movedToSection(spec, id, Number(event.currentTarget.value)))}
    >
      {sections.map((one, at) => (
        // A section has no name of its own that lasts.
        <option key={at} value={at}>
          {one.title === '' ? t('Part {number}', { number: at + 1 }) : one.title}
        </option>
      ))}
    </select>
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
