import { type Colour, PAGE, PdfPage, type TextStyle, textWidth, wrapped } from '../../platform/pdf.ts';

/** The paper that statements and reports are written on: A4, black on white. */

export const MARGIN = 48;
export const WIDTH = PAGE.width - 2 * MARGIN;
const BOTTOM = PAGE.height - 64;
export const INK: Colour = [0.1, 0.11, 0.14];
export const FAINT: Colour = [0.42, 0.45, 0.5];
export const LINE: Colour = [0.89, 0.91, 0.93];
export const COLOURS: Readonly<Record<string, Colour>> = {
  up: [0.1, 0.62, 0.44],
  met: [0.1, 0.62, 0.44],
  degraded: [0.85, 0.56, 0.02],
  at_risk: [0.85, 0.56, 0.02],
  down: [0.82, 0.2, 0.29],
  breached: [0.82, 0.2, 0.29],
};
export const UNKNOWN: Colour = [0.72, 0.75, 0.79];
export const BODY: TextStyle = { size: 9.5, colour: INK };
export const SMALL: TextStyle = { size: 8, colour: FAINT };
const LEADING = 1.45;
/** Rows of one table; all of them are in the JSON form. */
const MAX_ROWS = 200;

/** Writes from top to bottom and begins another page where one is full. */
export class Sheet {
  readonly #pages: PdfPage[] = [new PdfPage()];
  #y = MARGIN;

  get page(): PdfPage {
    return this.#pages.at(-1) ?? new PdfPage();
  }

  /** Room for something of this height; where it begins. */
  take(height: number): number {
    if (this.#y + height > BOTTOM) {
      this.#pages.push(new PdfPage());
      this.#y = MARGIN;
    }
    this.#y += height;
    return this.#y - height;
  }

  line(text: string, style: TextStyle): void {
    const height = style.size * LEADING;
    this.page.text(text, { x: MARGIN, y: this.take(height) + style.size }, style);
  }

  paragraph(text: string, style: TextStyle = BODY): void {
    for (const line of wrapped(text, style.size, WIDTH)) this.line(line, style);
  }

  heading(text: string): void {
    // Not alone at the foot of a page.
    if (this.#y + 72 > BOTTOM) this.take(BOTTOM);
    this.take(12);
    this.line(text, { size: 12, colour: INK, bold: true });
    this.take(2);
  }

  /** `widths` are shares of the page; columns named in `right` are aligned there. */
  table(
    head: readonly string[],
    rows: readonly (readonly string[])[],
    of: { readonly widths: readonly number[]; readonly right?: readonly number[] },
  ): void {
    this.#row(head, of, SMALL);
    for (const row of rows.slice(0, MAX_ROWS)) this.#row(row, of, BODY);
    if (rows.length > MAX_ROWS) this.paragraph(`${rows.length - MAX_ROWS} more are in the JSON form.`, SMALL);
  }

  #row(cells: readonly string[], of: { readonly widths: readonly number[]; readonly right?: readonly number[] }, style: TextStyle): void {
    const columns = cells.map((cell, i) => wrapped(cell, style.size, (of.widths[i] ?? 0) * WIDTH - 8));
    const leading = style.size * LEADING;
    const y = this.take(Math.max(1, ...columns.map((lines) => lines.length)) * leading + 4);
    let x = MARGIN;
    columns.forEach((lines, i) => {
      const width = (of.widths[i] ?? 0) * WIDTH;
      const isRight = of.right?.includes(i) === true;
      lines.forEach((text, k) => {
        const at = isRight ? x + width - 8 - textWidth(text, style.size) : x;
        this.page.text(text, { x: at, y: y + style.size + k * leading }, style);
      });
      x += width;
    });
    const bottom = y + Math.max(1, ...columns.map((lines) => lines.length)) * leading + 2;
    this.page.rectangle({ x: MARGIN, y: bottom, width: WIDTH, height: 0.5 }, LINE);
  }

  /** The pages with their footers. */
  finished(footer: string): readonly PdfPage[] {
    this.#pages.forEach((page, i) => {
      const number = `${i + 1} / ${this.#pages.length}`;
      page.text(wrapped(footer, 7, WIDTH - 48)[0] ?? '', { x: MARGIN, y: PAGE.height - 32 }, { ...SMALL, size: 7 });
      page.text(number, { x: PAGE.width - MARGIN - textWidth(number, 7), y: PAGE.height - 32 }, { ...SMALL, size: 7 });
    });
    return this.#pages;
  }
}
