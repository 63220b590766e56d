import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync, gunzipSync } from 'node:zlib';
import { TrueType } from './truetype.ts';

/**
 * Which font has which character, and how a font is put into a file: only the glyphs that are used. Texts of Western European letters are
 * set in the Helvetica that every reader has; any other text in DejaVu Sans (Latin, Greek, Cyrillic and more) and Noto Sans JP. Scripts
 * that join their letters or run from right to left are not shaped.
 */

/** Names within the file. */
export type EmbeddedFont = 'F3' | 'F4';
const FILES: Readonly<Record<EmbeddedFont, { readonly file: string; readonly name: string }>> = {
  F3: { file: 'DejaVuSans.ttf.gz', name: 'NINESA+DejaVuSans' },
  F4: { file: 'NotoSansJP-Regular.ttf.gz', name: 'NINESB+NotoSansJP-Regular' },
};
export const EMBEDDED: readonly EmbeddedFont[] = ['F3', 'F4'];

/** Beside the bundle, or two folders above the sources. */
function fontDir(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  return import.meta.url.endsWith('.ts') ? join(here, '../../assets/fonts') : join(here.replace(/[/\\]chunks$/, ''), 'fonts');
}

const opened = new Map<EmbeddedFont, TrueType>();
/** Read when it is needed first: most documents need none. */
function fontOf(font: EmbeddedFont): TrueType {
  const known = opened.get(font);
  if (known !== undefined) return known;
  const read = new TrueType(gunzipSync(readFileSync(join(fontDir(), FILES[font].file))));
  opened.set(font, read);
  return read;
}

/** A stretch of a text in one font. */
export type GlyphRun = { readonly font: EmbeddedFont; readonly glyphs: readonly number[]; readonly text: string };

const QUESTION = 0x3f;

/** A text in embedded fonts; a character that none of them has is a question mark. */
export function glyphRuns(text: string): readonly GlyphRun[] {
  const runs: { font: EmbeddedFont; glyphs: number[]; text: string }[] = [];
  for (const character of text.normalize('NFC')) {
    const written = (character.codePointAt(0) ?? 0) < 32 ? ' ' : character;
    const codePoint = written.codePointAt(0) ?? QUESTION;
    const font = EMBEDDED.find((one) => fontOf(one).glyphOf(codePoint) !== 0) ?? 'F3';
    const glyph = fontOf(font).glyphOf(codePoint) || fontOf('F3').glyphOf(QUESTION);
    const last = runs.at(-1);
    if (last?.font === font) {
      last.glyphs.push(glyph);
      last.text += written;
    } else runs.push({ font, glyphs: [glyph], text: written });
  }
  return runs;
}

/** How wide glyphs are, in thousandths of the size. */
export function widthOfRun({ font, glyphs }: Pick<GlyphRun, 'font' | 'glyphs'>): number {
  const { unitsPerEm } = fontOf(font);
  return glyphs.reduce((sum, glyph) => sum + Math.round((fontOf(font).advanceOf(glyph) * 1_000) / unitsPerEm), 0);
}

/** The glyphs of a font that a document uses, each with a character that it stands for. */
export type UsedGlyphs = ReadonlyMap<number, string>;

type Add = (body: string | Uint8Array) => number;
const stream = (dictionary: string, content: Uint8Array): Uint8Array => {
  const bytes = deflateSync(content);
  return Buffer.concat([
    Buffer.from(`<< ${dictionary}/Length ${bytes.length} /Filter /FlateDecode >>\nstream\n`, 'latin1'),
    bytes,
    Buffer.from('\nendstream', 'latin1'),
  ]);
};

/** Adds a font cut down to the glyphs in use; its object's number. Source: ISO 32000-1, 9.7 (composite fonts), 9.10.3 (ToUnicode). */
export function addFont(font: EmbeddedFont, used: UsedGlyphs, add: Add): number {
  const type = fontOf(font);
  const { name } = FILES[font];
  const thousandths = (units: number): number => Math.round((units * 1_000) / type.unitsPerEm);
  const glyphs = [...used.keys()].sort((a, b) => a - b);
  const { bytes, order } = type.subset(glyphs);
  const file = add(stream(`/Length1 ${bytes.length} `, bytes));
  const box = type.box.map(thousandths).join(' ');
  const metrics = `/ItalicAngle 0 /Ascent ${thousandths(type.ascent)} /Descent ${thousandths(type.descent)} /CapHeight 729 /StemV 80`;
  const descriptor = add(`<< /Type /FontDescriptor /FontName /${name} /Flags 4 /FontBBox [${box}] ${metrics} /FontFile2 ${file} 0 R >>`);
  const places = Buffer.alloc(2 * ((glyphs.at(-1) ?? 0) + 1));
  for (const glyph of glyphs) places.writeUInt16BE(order.indexOf(glyph), 2 * glyph);
  const toGlyph = add(stream('', places));
  const widths = glyphs.map((glyph) => `${glyph} [${thousandths(type.advanceOf(glyph))}]`).join(' ');
  const system = '/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>';
  const descendant = add(
    `<< /Type /Font /Subtype /CIDFontType2 /BaseFont /${name} ${system} /FontDescriptor ${descriptor} 0 R /W [${widths}] /CIDToGIDMap ${toGlyph} 0 R >>`,
  );
  const unicode = add(stream('', Buffer.from(toUnicode(glyphs, used), 'latin1')));
  return add(
    `<< /Type /Font /Subtype /Type0 /BaseFont /${name} /Encoding /Identity-H /DescendantFonts [${descendant} 0 R] /ToUnicode ${unicode} 0 R >>`,
  );
}

const hex4 = (value: number): string => value.toString(16).padStart(4, '0');
/** Entries of one block of a character map. */
const BLOCK = 100;

/** So that text can be found and copied. */
function toUnicode(glyphs: readonly number[], used: UsedGlyphs): string {
  const entries = glyphs.map(
    (glyph) =>
      `<${hex4(glyph)}> <${Buffer.from(used.get(glyph) ?? '?', 'utf16le')
        .swap16()
        .toString('hex')}>`,
  );
  const blocks: string[] = [];
  for (let i = 0; i < entries.length; i += BLOCK) {
    const block = entries.slice(i, i + BLOCK);
    blocks.push(`${block.length} beginbfchar\n${block.join('\n')}\nendbfchar`);
  }
  return `/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <ffff>
endcodespacerange
${blocks.join('\n')}
endcmap
CMapName currentdict /CMap defineresource pop
end
end`;
}
