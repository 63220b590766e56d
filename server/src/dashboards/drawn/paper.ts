import { type Colour, PAGE, PdfPage, pdfOf, textWidth, wrapped } from '../../platform/pdf.ts';
import type { DashboardSpec } from '../model.ts';
import { FAINT, INK, LINE, SOFT } from './colours.ts';
import { type Pictured, draw } from './draw.ts';
import type { Drawing, Mark } from './marks.ts';
import { type Place, bandsOf, placesOf } from './places.ts';
import { minute } from './show.ts';
import type { Shown } from './shown.ts';

/** A dashboard on paper: A4 in the light theme, charts as vectors; every page says which dashboard it is, of which time, and its number. */

const MARGIN = 36;
const WIDTH = PAGE.width - 2 * MARGIN;
const BOTTOM = PAGE.height - 48;
const GAP = 10;
const HEAD = 18;
/** Points for a row of the dashboard's grid. */
const ROW = 19;
const TABLE_ROW = 14;
const MAX_TABLE_ROWS = 200;

export type Paper = {
  readonly spec: Pick<DashboardSpec, 'title' | 'description' | 'layout' | 'panels'> & DashboardSpec;
  readonly shown: ReadonlyMap<string, Shown>;
  readonly fromMs: number;
  readonly toMs: number;
  readonly madeAtMs: number;
  /** Values that were chosen, as words. */
  readonly chosen: string;
};

const rgbOf = (hex: string): Colour => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16) / 255) as unknown as Colour;

export function paperOf({ spec, shown, fromMs, toMs, madeAtMs, chosen }: Paper): Uint8Array {
  const pages: PdfPage[] = [new PdfPage()];
  const page = (): PdfPage => pages.at(-1) ?? new PdfPage();
  let y = MARGIN;
  const room = (height: number): void => {
    if (y + height <= BOTTOM || y === MARGIN) return;
    pages.push(new PdfPage());
    y = MARGIN;
  };
  const span = `${minute(fromMs)} to ${minute(toMs)}, all times UTC`;
  page().text(spec.title, { x: MARGIN, y: y + 16 }, { size: 18, colour: rgbOf(INK), bold: true });
  y += 26;
  for (const line of [span, chosen, spec.description].filter((text) => text !== '').flatMap((text) => wrapped(text, 9, WIDTH))) {
    page().text(line, { x: MARGIN, y: y + 9 }, { size: 9, colour: rgbOf(FAINT) });
    y += 13;
  }
  y += 6;
  for (const section of placesOf(spec)) {
    if (section.title !== '') {
      room(80);
      page().text(section.title, { x: MARGIN, y: y + 12 }, { size: 12, colour: rgbOf(INK), bold: true });
      y += 22;
    }
    for (const band of bandsOf(section.places)) {
      const sizes = band.map((place) => ({ place, ...sizeOf(place, shown.get(place.panel)) }));
      const height = Math.min(BOTTOM - MARGIN, Math.max(...sizes.map((one) => one.height)));
      room(height);
      for (const { place, x, width } of sizes) {
        const body = { x: MARGIN + x, y, width, height };
        drawPanel(page(), { title: spec.panels[place.panel]?.title || place.panel, shown: shown.get(place.panel), ...body });
      }
      y += height + GAP;
    }
  }
  pages.forEach((one, i) => {
    const foot = { y: PAGE.height - 24 };
    const style = { size: 8, colour: rgbOf(FAINT) };
    const number = `Page ${i + 1} of ${pages.length}`;
    one.text(`${spec.title} · ${span} · made ${minute(madeAtMs)}`, { x: MARGIN, ...foot }, style);
    one.text(number, { x: PAGE.width - MARGIN - textWidth(number, 8), ...foot }, style);
  });
  return pdfOf(pages, spec.title);
}

function sizeOf({ x, w, h }: Place, shown: Shown | undefined) {
  const width = (w / 24) * WIDTH - GAP / 2;
  const wanted =
    shown?.kind === 'table' ? HEAD + (Math.min(MAX_TABLE_ROWS, shown.rows.length) + 1) * TABLE_ROW + 8 : Math.max(6, Math.min(h, 18)) * ROW;
  return { x: (x / 24) * WIDTH, width, height: Math.max(60, wanted) };
}

type Body = {
  readonly title: string;
  readonly shown: Shown | undefined;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};

function drawPanel(page: PdfPage, { title, shown, x, y, width, height }: Body): void {
  page.text(fitting(title, 10, width), { x, y: y + 11 }, { size: 10, colour: rgbOf(INK), bold: true });
  page.rectangle({ x, y: y + 15, width, height: 0.7 }, rgbOf(LINE));
  const body = { x, y: y + HEAD, width, height: height - HEAD };
  if (shown === undefined || shown.kind === 'nothing') return lines(page, [shown?.why ?? ''], body);
  if (shown.kind === 'words') return lines(page, shown.lines, body);
  if (shown.kind === 'table') return table(page, shown, body);
  place(page, draw(shown satisfies Pictured, { width, height: body.height }), body);
}

type Room = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

function lines(page: PdfPage, texts: readonly string[], { x, y, width, height }: Room): void {
  const most = Math.floor(height / 12);
  texts
    .flatMap((text) => (text === '' ? [''] : wrapped(text, 9, width)))
    .slice(0, most)
    .forEach((text, i) => page.text(text, { x, y: y + 10 + i * 12 }, { size: 9, colour: rgbOf(SOFT) }));
}

function table(page: PdfPage, { columns, rows, right }: Extract<Shown, { kind: 'table' }>, { x, y, width, height }: Room): void {
  const most = Math.max(1, Math.min(MAX_TABLE_ROWS, Math.floor(height / TABLE_ROW) - 1));
  const shares = columns.map((_, i) => (i === 0 ? 1.6 : 1));
  const whole = shares.reduce((sum, share) => sum + share, 0);
  const row = (cells: readonly string[], top: number, colour: string): void => {
    let left = x;
    cells.forEach((cell, i) => {
      const wide = ((shares[i] ?? 1) / whole) * width;
      const text = fitting(cell, 8, wide - 6);
      const at = right.includes(i) ? left + wide - 4 - textWidth(text, 8) : left;
      page.text(text, { x: at, y: top + 10 }, { size: 8, colour: rgbOf(colour) });
      left += wide;
    });
  };
  row(columns, y, FAINT);
  rows.slice(0, most).forEach((cells, i) => row(cells, y + (i + 1) * TABLE_ROW, INK));
  if (rows.length > most) page.text(`and ${rows.length - most} more`, { x, y: y + height - 2 }, { size: 8, colour: rgbOf(FAINT) });
}

/** As much of a text as is no wider. */
function fitting(text: string, size: number, width: number): string {
  if (textWidth(text, size) <= width) return text;
  const letters = Array.from(text);
  let [low, high] = [0, letters.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (textWidth(`${letters.slice(0, middle).join('')}…`, size) <= width) low = middle;
    else high = middle - 1;
  }
  return `${letters.slice(0, low).join('')}…`;
}

function place(page: PdfPage, { marks }: Drawing, { x, y }: Room): void {
  for (const mark of marks) placeMark(page, mark, { x, y });
}

function placeMark(page: PdfPage, mark: Mark, { x, y }: { readonly x: number; readonly y: number }): void {
  if (mark.mark === 'text') {
    const { text, at, size, colour, bold, anchor } = mark;
    const wide = anchor === undefined || anchor === 'start' ? 0 : textWidth(text, size) * (anchor === 'end' ? 1 : 0.5);
    return page.text(text, { x: x + at[0] - wide, y: y + at[1] }, { size, colour: rgbOf(colour), ...(bold === undefined ? {} : { bold }) });
  }
  const points = mark.points.map(([px, py]) => [x + px, y + py] as const);
  if (mark.mark === 'line') page.polyline(points, { colour: rgbOf(mark.colour), width: mark.width, dashed: mark.dashed === true });
  else page.polygon(points, lighter(rgbOf(mark.colour), mark.opacity ?? 1));
}

/** A transparent colour over white paper. */
const lighter = (colour: Colour, opacity: number): Colour => colour.map((part) => 1 - (1 - part) * opacity) as unknown as Colour;
