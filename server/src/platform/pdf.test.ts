import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { PdfPage, pdfOf, textWidth, winAnsi, wrapped } from './pdf.ts';

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

test('what WinAnsi lacks loses its accent or becomes a question mark', () => {
  const shown = (text: string): string => Buffer.from(winAnsi(text)).toString('latin1');
  assert.deepEqual([shown('Łódź č'), shown('日本'), shown('≤ 5 −'), shown('a\nb')], ['?ódz c', '??', '<= 5 -', 'a b']);
  assert.deepEqual([...winAnsi('€–’')], [0x80, 0x96, 0x92]);
});

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
