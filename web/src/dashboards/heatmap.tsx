import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { type PointerEvent, useEffect, useRef, useState } from 'react';
import type { Cells } from '@nines/maths/dashboards/figures.ts';
import { drawnAs, place } from '../charts/vectors.ts';
import { t } from '../language/t.ts';

type Props = {
  readonly cells: Cells;
  readonly height: number;
  readonly text: (value: number) => string;
  readonly title: string;
  /** From −1 over 0 to 1, in two colours. */
  readonly signed: boolean;
};

const LABEL_PX = 84;
const FOOT_PX = 18;
const LABEL_EVERY_PX = 56;

const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

type Size = { readonly width: number; readonly height: number };

type Rectangle = Size & { readonly x: number; readonly y: number; readonly colour: string; readonly opacity: number };

/** The cells as they are drawn, from the lower left corner. */
function rectangles({ cells, signed }: Pick<Props, 'cells' | 'signed'>, size: Size): readonly Rectangle[] {
  const [low, high] = cells.range;
  const [strong, against, hatch] = [token('--series-1'), token('--series-4'), token('--hover')];
  const [cellWidth, cellHeight] = [size.width / Math.max(1, cells.columns.length), size.height / Math.max(1, cells.rows.length)];
  const gap = cellWidth > 6 && cellHeight > 6 ? 1 : 0;
  // Wider by a hair where cells touch, else seams show.
  const [width, height] = [cellWidth - gap + (gap === 0 ? 0.5 : 0), cellHeight - gap + (gap === 0 ? 0.5 : 0)];
  return cells.values.flatMap((row, at) =>
    row.map((value, column) => {
      const body = { x: column * cellWidth, y: size.height - (at + 1) * cellHeight, width, height };
      if (value === null) return { ...body, colour: hatch, opacity: 1 };
      const opacity = signed ? Math.abs(value) : 0.06 + (0.94 * (value - low)) / (high - low || 1);
      return { ...body, colour: signed && value < 0 ? against : strong, opacity };
    }),
  );
}

function draw(canvas: HTMLCanvasElement, drawn: Pick<Props, 'cells' | 'signed'>, size: Size): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const ratio = window.devicePixelRatio;
  canvas.width = Math.round(size.width * ratio);
  canvas.height = Math.round(size.height * ratio);
  context.scale(ratio, ratio);
  for (const { x, y, width, height, colour, opacity } of rectangles(drawn, size)) {
    context.globalAlpha = opacity;
    context.fillStyle = colour;
    context.fillRect(x, y, width, height);
  }
  drawnAs(canvas, () => rectangles(drawn, size).map(markupOf).join(''));
}

const markupOf = ({ x, y, width, height, colour, opacity }: Rectangle): string =>
  `<rect x="${place(x)}" y="${place(y)}" width="${place(width)}" height="${place(height)}" fill="${colour}" fill-opacity="${opacity.toFixed(3)}"/>`;

/** A grid of cells on a canvas: darker is more. The cell under the pointer stands in words below; the file has all of them. */
export function Heatmap({ cells, height, text, title, signed }: Props) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useComputedColorScheme('light');
  const [over, setOver] = useState<readonly [row: number, column: number] | null>(null);
  const size = { width: Math.max(0, width - LABEL_PX), height: Math.max(40, height - FOOT_PX - 24) };
  useEffect(() => {
    if (canvas.current !== null && size.width > 0) draw(canvas.current, { cells, signed }, size);
  }, [cells, signed, size.width, size.height, scheme]);
  const onPointerMove = (event: PointerEvent<HTMLCanvasElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * cells.columns.length);
    const row = Math.floor(((box.bottom - event.clientY) / box.height) * cells.rows.length);
    setOver([row, column]);
  };
  const value = over === null ? undefined : cells.values[over[0]]?.[over[1]];
  const words =
    over === null
      ? ''
      : `${cells.rows[over[0]] ?? ''}, ${cells.columns[over[1]] ?? ''}: ${value === null || value === undefined ? t('nothing known') : text(value)}`;
  const legend = t('{low} light, {high} dark', { low: text(cells.range[0]), high: text(cells.range[1]) });
  const everyRow = Math.max(1, Math.ceil((cells.rows.length * 14) / size.height));
  const everyColumn = Math.max(1, Math.ceil((cells.columns.length * LABEL_EVERY_PX) / Math.max(1, size.width)));
  return (
    <div ref={ref} className="heatmap">
      <div className="heatmap-grid" style={{ gridTemplateColumns: `${LABEL_PX}px minmax(0, 1fr)` }}>
        <ol className="heatmap-rows" aria-hidden="true" style={{ height: size.height }}>
          {[...cells.rows].reverse().map((row, at) => (
            <li key={row} title={row}>
              {at % everyRow === 0 ? row : ''}
            </li>
          ))}
        </ol>
        <canvas
          ref={canvas}
          role="img"
          aria-label={t('{title}: {rows} rows by {columns} columns, {legend}', {
            title,
            rows: cells.rows.length,
            columns: cells.columns.length,
            legend,
          })}
          style={{ width: size.width, height: size.height }}
          onPointerMove={onPointerMove}
          onPointerLeave={() => setOver(null)}
        />
        <span />
        <ol className="heatmap-columns" aria-hidden="true">
          {cells.columns.map((column, at) =>
            at % everyColumn === 0 ? (
              <li key={column + String(at)} style={{ left: `${(at / cells.columns.length) * 100}%` }}>
                {column}
              </li>
            ) : null,
          )}
        </ol>
      </div>
      <p className="faint small">{words === '' ? legend : words}</p>
    </div>
  );
}
