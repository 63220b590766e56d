import { deflateSync } from 'node:zlib';
import { EMBEDDED, type EmbeddedFont, addFont, glyphRuns, widthOfRun } from './pdf-fonts.ts';

/**
 * A small writer of PDF 1.4: text in the two Helveticas that every reader has, or in fonts that are put into the file where those
 * lack a letter; filled rectangles, lines. No date and no random number goes in, so equal pages are equal bytes. Source: ISO 32000-1, 7.5 (file structure), 9.6.2.2 (standard fonts), Annex D (WinAnsi).
 */

/** A4 in points. The origin of every coordinate here is the upper left corner. */
export const PAGE = { width: 595, height: 842 } as const;

/** Red, green, blue from 0 to 1. */
export type Colour = readonly [red: number, green: number, blue: number];
export type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
export type TextStyle = { readonly size: number; readonly colour: Colour; readonly bold?: boolean };

/** Widths of Helvetica in thousandths of its size, from the space to the tilde. Source: Adobe's font metrics (AFM). */
const WIDTHS: readonly number[] = [
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278,
  278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722,
  667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556,
  556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
const FIRST = 32;
const WIDTH_ELSE = 556;

/** Characters outside Latin-1 that WinAnsi has, and the like of some that it has not. */
const WIN_ANSI: Readonly<Record<string, number>> = {
  '€': 0x80,
  '…': 0x85,
  '‘': 0x91,
  '’': 0x92,
  '“': 0x93,
  '”': 0x94,
  '•': 0x95,
  '–': 0x96,
  '—': 0x97,
};
const LIKE: Readonly<Record<string, string>> = { '≤': '<=', '≥': '>=', '−': '-', '→': '->', '\u202f': ' ', '\u2009': ' ' };

/** The bytes of a text in WinAnsi; undefined when it has a character that WinAnsi lacks. */
export function winAnsi(text: string): readonly number[] | undefined {
  const bytes: number[] = [];
  for (const character of text.normalize('NFC')) {
    const code = character.codePointAt(0) ?? 0;
    const known = WIN_ANSI[character];
    const like = LIKE[character];
    if (code < FIRST || code === 0x7f) bytes.push(FIRST);
    else if (code < 0x7f || (code >= 0xa0 && code <= 0xff)) bytes.push(code);
    else if (known !== undefined) bytes.push(known);
    else if (like !== undefined) bytes.push(...Buffer.from(like, 'latin1'));
    else return undefined;
  }
  return bytes;
}

/** How wide a text is in points. */
export function textWidth(text: string, size: number): number {
  const bytes = winAnsi(text);
  const units =
    bytes === undefined
      ? glyphRuns(text).reduce((sum, run) => sum + widthOfRun(run), 0)
      : bytes.reduce((sum, code) => sum + (WIDTHS[code - FIRST] ?? WIDTH_ELSE), 0);
  return (units * size) / 1_000;
}

/** A text in lines no wider than `width`; a word that is wider alone is cut. */
export function wrapped(text: string, size: number, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (textWidth(joined, size) <= width) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
    for (let characters = Array.from(line); textWidth(line, size) > width && characters.length > 1; characters = Array.from(line)) {
      let fits = characters.length - 1;
      while (fits > 1 && textWidth(characters.slice(0, fits).join(''), size) > width) fits--;
      lines.push(characters.slice(0, fits).join(''));
      line = characters.slice(fits).join('');
    }
  }
  return line === '' ? lines : [...lines, line];
}

/** PDF knows neither infinity nor powers of ten: what is far outside of every page is written as its edge. */
const decimal = (value: number): string => {
  const placed = Math.min(FARTHEST, Math.max(-FARTHEST, Math.round(value * 100) / 100));
  return Number.isNaN(placed) || Math.abs(placed) < 0.01 ? '0' : String(placed);
};
const FARTHEST = 1e5;
const rgb = (colour: Colour): string => colour.map(decimal).join(' ');

type Spot = readonly [x: number, y: number];
const pathOf = (points: readonly Spot[]): string =>
  points.map(([x, y], i) => `${decimal(x)} ${decimal(PAGE.height - y)} ${i === 0 ? 'm' : 'l'}`).join(' ');

/** Embedded fonts have one weight: bold letters get an outline of this share of their size. */
const BOLD_OUTLINE = 0.035;

/** What is drawn on one page, in the order in which it was drawn. */
export class PdfPage {
  readonly #operators: string[] = [];
  readonly #used = new Map<EmbeddedFont, Map<number, string>>();

  /** `y` is the base line. */
  text(text: string, at: { readonly x: number; readonly y: number }, style: TextStyle): void {
    const place = `${decimal(at.x)} ${decimal(PAGE.height - at.y)}`;
    const bytes = winAnsi(text);
    if (bytes === undefined) return this.#embedded(text, place, style);
    const font = style.bold === true ? 'F2' : 'F1';
    const hex = Buffer.from(bytes).toString('hex');
    this.#operators.push(`BT ${rgb(style.colour)} rg /${font} ${decimal(style.size)} Tf ${place} Td <${hex}> Tj ET`);
  }

  #embedded(text: string, place: string, { size, colour, bold }: TextStyle): void {
    const outline = bold === true ? `${rgb(colour)} RG ${decimal(size * BOLD_OUTLINE)} w 2 Tr ` : '';
    const shown = glyphRuns(text).map(({ font, glyphs, text: letters }) => {
      const used = this.#used.get(font) ?? new Map<number, string>();
      this.#used.set(font, used);
      Array.from(letters).forEach((letter, i) => used.set(glyphs[i] ?? 0, letter));
      return `/${font} ${decimal(size)} Tf <${glyphs.map((glyph) => glyph.toString(16).padStart(4, '0')).join('')}> Tj`;
    });
    this.#operators.push(`BT ${rgb(colour)} rg ${outline}${place} Td ${shown.join(' ')}${bold === true ? ' 0 Tr' : ''} ET`);
  }

  /** Glyphs of an embedded font, each with its character. */
  usedOf(font: EmbeddedFont): ReadonlyMap<number, string> {
    return this.#used.get(font) ?? new Map<number, string>();
  }

  rectangle({ x, y, width, height }: Box, colour: Colour): void {
    const place = [x, PAGE.height - y - height, width, height].map(decimal).join(' ');
    this.#operators.push(`${rgb(colour)} rg ${place} re f`);
  }

  polyline(
    points: readonly Spot[],
    { colour, width, dashed = false }: { readonly colour: Colour; readonly width: number; readonly dashed?: boolean },
  ): void {
    const dash = dashed ? '[4 3] 0 d ' : '';
    this.#operators.push(`q 1 j ${dash}${rgb(colour)} RG ${decimal(width)} w ${pathOf(points)} S Q`);
  }

  polygon(points: readonly Spot[], colour: Colour): void {
    this.#operators.push(`${rgb(colour)} rg ${pathOf(points)} h f`);
  }

  get content(): string {
    return this.#operators.join('\n');
  }
}

/** The file. `title` stands in the window of the reader. */
export function pdfOf(pages: readonly PdfPage[], title: string): Uint8Array {
  const objects: Uint8Array[] = [];
  const add = (body: string | Uint8Array): number => objects.push(typeof body === 'string' ? Buffer.from(body, 'latin1') : body);
  const font = (name: string): number => add(`<< /Type /Font /Subtype /Type1 /BaseFont /${name} /Encoding /WinAnsiEncoding >>`);
  const standard = [`/F1 ${font('Helvetica')} 0 R`, `/F2 ${font('Helvetica-Bold')} 0 R`];
  const embedded = EMBEDDED.flatMap((name) => {
    const used = new Map(pages.flatMap((page) => [...page.usedOf(name)]));
    return used.size === 0 ? [] : [`/${name} ${addFont(name, used, add)} 0 R`];
  });
  const fonts = `<< /Font << ${[...standard, ...embedded].join(' ')} >> >>`;
  // Two objects for each page come next, then their parent.
  const parent = objects.length + 2 * pages.length + 1;
  const kids = pages.map((page) => {
    const stream = deflateSync(Buffer.from(page.content, 'latin1'));
    const head = Buffer.from(`<< /Length ${stream.length} /Filter /FlateDecode >>\nstream\n`, 'latin1');
    const content = add(Buffer.concat([head, stream, Buffer.from('\nendstream', 'latin1')]));
    return add(
      `<< /Type /Page /Parent ${parent} 0 R /MediaBox [0 0 ${PAGE.width} ${PAGE.height}] /Resources ${fonts} /Contents ${content} 0 R >>`,
    );
  });
  add(`<< /Type /Pages /Kids [${kids.map((kid) => `${kid} 0 R`).join(' ')}] /Count ${kids.length} >>`);
  const catalogue = add(`<< /Type /Catalog /Pages ${parent} 0 R /Lang (en) /ViewerPreferences << /DisplayDocTitle true >> >>`);
  const info = add(`<< /Title <feff${Buffer.from(title, 'utf16le').swap16().toString('hex')}> /Producer (Nines) >>`);
  return fileOf(objects, { catalogue, info });
}

/** Header, objects, the table of where each begins, trailer. */
function fileOf(objects: readonly Uint8Array[], { catalogue, info }: { readonly catalogue: number; readonly info: number }): Uint8Array {
  // The bytes above 127 tell programs that this is no text.
  const parts: Uint8Array[] = [Buffer.from('%PDF-1.4\n%\xe2\xe3\xcf\xd3\n', 'latin1')];
  let at = parts[0]?.length ?? 0;
  const push = (bytes: Uint8Array): void => {
    parts.push(bytes);
    at += bytes.length;
  };
  const offsets = objects.map((body, i) => {
    const offset = at;
    push(Buffer.concat([Buffer.from(`${i + 1} 0 obj\n`, 'latin1'), body, Buffer.from('\nendobj\n', 'latin1')]));
    return offset;
  });
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const count = objects.length + 1;
  const trailer = `trailer\n<< /Size ${count} /Root ${catalogue} 0 R /Info ${info} 0 R >>\nstartxref\n${at}\n%%EOF\n`;
  push(Buffer.from(`xref\n0 ${count}\n0000000000 65535 f \n${table}${trailer}`, 'latin1'));
  return Buffer.concat(parts);
}
