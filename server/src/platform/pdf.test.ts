import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { PdfPage, pdfOf, textWidth, winAnsi, wrapped } from './pdf.ts';
import { TrueType } from './truetype.ts';

const INK = { size: 10, colour: [0, 0, 0] } as const;

/** The texts of a file in the order in which they are shown, found by its table of objects as a reader finds them. */
function textsOf(file: Uint8Array): readonly string[] {
  const bytes = Buffer.from(file);
  const text = bytes.toString('latin1');
  const start = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(text)?.[1]);
  assert.equal(text.slice(start, start + 5), 'xref\n');
  const offsets = [...text.slice(start).matchAll(/^(\d{10}) 00000 n $/gm)].map((row) => Number(row[1]));
  assert.equal(Number(/\/Size (\d+)/.exec(text.slice(start))?.[1]), offsets.length + 1);
  return offsets.flatMap((offset, i) => {
    const head = `${i + 1} 0 obj\n`;
    assert.equal(text.slice(offset, offset + head.length), head, 'the table says where each object begins');
    const stream = /^\d+ 0 obj\n<< \/Length (\d+) \/Filter \/FlateDecode >>\nstream\n/.exec(text.slice(offset));
    if (stream === null) return [];
    const from = offset + stream[0].length;
    const content = inflateSync(bytes.subarray(from, from + Number(stream[1]))).toString('latin1');
    return [...content.matchAll(/<([0-9a-f]*)> Tj/g)].map((shown) => Buffer.from(shown[1] ?? '', 'hex').toString('latin1'));
  });
}

test('a reader finds every object, and the text of every page', () => {
  const pages = ['first', 'sécond (with) \\ brackets'].map((text) => {
    const page = new PdfPage();
    page.text(text, { x: 48, y: 60 }, INK);
    page.rectangle({ x: 0, y: 0, width: 10, height: 10 }, [1, 0, 0]);
    return page;
  });
  const file = pdfOf(pages, 'Grüße – statement');
  assert.deepEqual(textsOf(file), ['first', 'sécond (with) \\ brackets']);
  assert.match(Buffer.from(file).toString('latin1'), /\/Count 2/);
  assert.deepEqual(pdfOf(pages, 'Grüße – statement'), file, 'equal pages are equal bytes');
});

test('texts of Western European letters are in Helvetica; anything else is not for WinAnsi', () => {
  const shown = (text: string): string | undefined => {
    const bytes = winAnsi(text);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1');
  };
  assert.deepEqual([shown('≤ 5 −'), shown('a\nb'), shown('Łódź'), shown('日本')], ['<= 5 -', 'a b', undefined, undefined]);
  assert.deepEqual([...(winAnsi('€–’') ?? [])], [0x80, 0x96, 0x92]);
});

const NAMES = [
  'Zażółć gęślą jaźń',
  'Ελληνική Δημοκρατία',
  'Київський офіс',
  'Московский банк',
  '東京証券取引所サービス',
  'Ångström 日本 Ω',
];

test('names in Polish, Greek, Cyrillic and Japanese come out right: they are read back from the file as they were written', () => {
  const made = (): Uint8Array => {
    const page = new PdfPage();
    NAMES.forEach((name, i) => page.text(name, { x: 48, y: 60 + 20 * i }, { ...INK, bold: i % 2 === 1 }));
    return pdfOf([page], 'names');
  };
  const file = made();
  assert.deepEqual(embeddedTexts(file), NAMES);
  assert.deepEqual(made(), file, 'equal pages are equal bytes');
  assert.ok(file.length < 60_000, `only the glyphs in use are in the file, which has ${file.length} bytes`);
});

test('a font that was cut down has the outlines, widths and characters of the whole one', () => {
  const whole = new TrueType(gunzipSync(readFileSync(join(import.meta.dirname, '../../assets/fonts/DejaVuSans.ttf.gz'))));
  const letters = Array.from('Żażółć ΩΔ Київ ﬁ');
  const glyphs = letters.map((letter) => whole.glyphOf(letter.codePointAt(0) ?? 0));
  assert.ok(glyphs.every((glyph) => glyph > 0));
  const { bytes, order } = whole.subset(glyphs);
  // A cut-down font has no character map; any will do to read the rest.
  const tables = new Set(Array.from({ length: bytes.readUInt16BE(4) }, (_, i) => bytes.toString('latin1', 12 + 16 * i, 16 + 16 * i)));
  for (const tag of ['glyf', 'head', 'hhea', 'hmtx', 'loca', 'maxp']) assert.ok(tables.has(tag), tag);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 4) sum = (sum + bytes.readUInt32BE(at)) >>> 0;
  assert.equal(sum, 0xb1b0afba, 'the sum of the whole file is what the format says');
  assert.ok(glyphs.every((glyph) => order.includes(glyph)) && order[0] === 0);
  assert.deepEqual(whole.subset([...glyphs].reverse()).bytes, bytes, 'whatever the order in which they were used');
});

/** What is shown in embedded fonts, through the file's own maps from glyphs to characters. */
function embeddedTexts(file: Uint8Array): readonly string[] {
  const bytes = Buffer.from(file);
  const streams = [...bytes.toString('latin1').matchAll(/\/Length (\d+) \/Filter \/FlateDecode >>\nstream\n/g)].map((found) => {
    const from = found.index + found[0].length;
    return inflateSync(bytes.subarray(from, from + Number(found[1]))).toString('latin1');
  });
  const maps = streams
    .filter((content) => content.includes('beginbfchar'))
    .map((content) => new Map([...content.matchAll(/^<([0-9a-f]{4})> <([0-9a-f]+)>$/gm)].map(([, glyph, code]) => [glyph, code])));
  const letterOf = (font: string, glyph: string): string =>
    Buffer.from(maps[Number(font) - 3]?.get(glyph) ?? '', 'hex')
      .swap16()
      .toString('utf16le');
  return streams
    .flatMap((content) => content.split('\n'))
    .filter((line) => line.startsWith('BT '))
    .map((line) =>
      [...line.matchAll(/\/F([34]) \S+ Tf <([0-9a-f]*)> Tj/g)]
        .flatMap(([, font = '', hex = '']) => (hex.match(/.{4}/g) ?? []).map((glyph) => letterOf(font, glyph)))
        .join(''),
    );
}

test('lines are never wider than they may be, and nothing is lost', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 60 }), { maxLength: 20 }),
      fc.integer({ min: 30, max: 300 }),
      (parts, width) => {
        const text = parts.join(' ');
        const lines = wrapped(text, 10, width);
        for (const line of lines) assert.ok(textWidth(line, 10) <= width, line);
        assert.equal(lines.join('').replace(/\s/g, ''), text.replace(/\s/g, ''));
      },
    ),
  );
});
