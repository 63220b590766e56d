import { invariant } from '@nines/base/errors.ts';

/**
 * Reads a TrueType font and cuts it down to the glyphs that a document needs. Source: the OpenType specification (cmap formats 4 and
 * 12, glyf, loca, hmtx). Equal glyphs give equal bytes.
 */
export class TrueType {
  readonly #bytes: Buffer;
  readonly #tables = new Map<string, { readonly from: number; readonly length: number }>();
  readonly unitsPerEm: number;
  readonly ascent: number;
  readonly descent: number;
  /** Lowest and highest corner of all glyphs: x, y, x, y. */
  readonly box: readonly [number, number, number, number];
  readonly #longLoca: boolean;
  readonly #metrics: number;
  readonly #glyphs: number;
  readonly #cmap: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const count = this.#bytes.readUInt16BE(4);
    for (let i = 0; i < count; i++) {
      const at = 12 + 16 * i;
      const tag = this.#bytes.toString('latin1', at, at + 4);
      this.#tables.set(tag, { from: this.#bytes.readUInt32BE(at + 8), length: this.#bytes.readUInt32BE(at + 12) });
    }
    const [head, hhea] = [this.#from('head'), this.#from('hhea')];
    this.unitsPerEm = this.#bytes.readUInt16BE(head + 18);
    const corner = (i: number): number => this.#bytes.readInt16BE(head + 36 + 2 * i);
    this.box = [corner(0), corner(1), corner(2), corner(3)];
    this.#longLoca = this.#bytes.readInt16BE(head + 50) === 1;
    this.ascent = this.#bytes.readInt16BE(hhea + 4);
    this.descent = this.#bytes.readInt16BE(hhea + 6);
    this.#metrics = this.#bytes.readUInt16BE(hhea + 34);
    this.#glyphs = this.#bytes.readUInt16BE(this.#from('maxp') + 4);
    this.#cmap = this.#bestCmap();
  }

  #from(tag: string): number {
    const table = this.#tables.get(tag);
    invariant(table !== undefined, `a font with the table ${tag}`);
    return table.from;
  }

  /** The subtable that knows most characters: format 12 before format 4. */
  #bestCmap(): number {
    const cmap = this.#from('cmap');
    let best: number | undefined;
    for (let i = 0; i < this.#bytes.readUInt16BE(cmap + 2); i++) {
      const at = cmap + this.#bytes.readUInt32BE(cmap + 8 + 8 * i);
      const format = this.#bytes.readUInt16BE(at);
      if (format === 12) return at;
      if (format === 4) best = at;
    }
    invariant(best !== undefined, 'a font with a character map of format 4 or 12');
    return best;
  }

  /** The glyph of a character; 0 when the font has none. */
  glyphOf(codePoint: number): number {
    return this.#bytes.readUInt16BE(this.#cmap) === 12 ? this.#inGroups(codePoint) : this.#inSegments(codePoint);
  }

  #inGroups(codePoint: number): number {
    let [low, high] = [0, this.#bytes.readUInt32BE(this.#cmap + 12) - 1];
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const at = this.#cmap + 16 + 12 * middle;
      const first = this.#bytes.readUInt32BE(at);
      if (codePoint < first) high = middle - 1;
      else if (codePoint > this.#bytes.readUInt32BE(at + 4)) low = middle + 1;
      else return this.#bytes.readUInt32BE(at + 8) + codePoint - first;
    }
    return 0;
  }

  #inSegments(codePoint: number): number {
    if (codePoint > 0xffff) return 0;
    const twice = this.#bytes.readUInt16BE(this.#cmap + 6);
    const ends = this.#cmap + 14;
    for (let i = 0; i < twice; i += 2) {
      if (this.#bytes.readUInt16BE(ends + i) < codePoint) continue;
      const starts = ends + twice + 2;
      const first = this.#bytes.readUInt16BE(starts + i);
      if (first > codePoint) return 0;
      const delta = this.#bytes.readUInt16BE(starts + twice + i);
      const rangeAt = starts + 2 * twice + i;
      const range = this.#bytes.readUInt16BE(rangeAt);
      if (range === 0) return (codePoint + delta) & 0xffff;
      const glyph = this.#bytes.readUInt16BE(rangeAt + range + 2 * (codePoint - first));
      return glyph === 0 ? 0 : (glyph + delta) & 0xffff;
    }
    return 0;
  }

  /** How far a glyph moves on, in units of the font. */
  advanceOf(glyph: number): number {
    return this.#bytes.readUInt16BE(this.#from('hmtx') + 4 * Math.min(glyph, this.#metrics - 1));
  }

  #sideBearingOf(glyph: number): number {
    const hmtx = this.#from('hmtx');
    if (glyph < this.#metrics) return this.#bytes.readInt16BE(hmtx + 4 * glyph + 2);
    return this.#bytes.readInt16BE(hmtx + 4 * this.#metrics + 2 * (glyph - this.#metrics));
  }

  #outline(glyph: number): Buffer {
    const loca = this.#from('loca');
    const at = (i: number): number =>
      this.#longLoca ? this.#bytes.readUInt32BE(loca + 4 * i) : 2 * this.#bytes.readUInt16BE(loca + 2 * i);
    if (glyph >= this.#glyphs) return Buffer.alloc(0);
    const glyf = this.#from('glyf');
    return this.#bytes.subarray(glyf + at(glyph), glyf + at(glyph + 1));
  }

  /**
   * A font of these glyphs, those they are put together of, and the one for missing characters, which comes first. `order`: the old
   * numbers of its glyphs.
   */
  subset(glyphs: Iterable<number>): { readonly bytes: Buffer; readonly order: readonly number[] } {
    const order = [...new Set([0, ...[...glyphs].sort((a, b) => a - b)])];
    for (let i = 0; i < order.length; i++) {
      for (const part of componentsOf(this.#outline(order[i] ?? 0))) if (!order.includes(part.glyph)) order.push(part.glyph);
    }
    const renumbered = new Map(order.map((glyph, i) => [glyph, i]));
    const outlines = order.map((glyph) => {
      const outline = Buffer.from(this.#outline(glyph));
      for (const part of componentsOf(outline)) outline.writeUInt16BE(renumbered.get(part.glyph) ?? 0, part.at);
      return padded(outline);
    });
    const loca = Buffer.alloc(4 * (order.length + 1));
    outlines.reduce((sum, outline, i) => loca.writeUInt32BE(sum + outline.length, 4 * (i + 1)) && sum + outline.length, 0);
    const hmtx = Buffer.alloc(4 * order.length);
    order.forEach((glyph, i) => {
      hmtx.writeUInt16BE(this.advanceOf(glyph), 4 * i);
      hmtx.writeInt16BE(this.#sideBearingOf(glyph), 4 * i + 2);
    });
    const head = this.#copy('head');
    head.writeUInt32BE(0, 8);
    head.writeInt16BE(1, 50);
    const hhea = this.#copy('hhea');
    hhea.writeUInt16BE(order.length, 34);
    const maxp = this.#copy('maxp');
    maxp.writeUInt16BE(order.length, 4);
    const hints = (['cvt ', 'fpgm', 'prep'] as const).flatMap((tag) => (this.#tables.has(tag) ? [[tag, this.#copy(tag)] as const] : []));
    const tables = [
      ...hints,
      ['glyf', Buffer.concat(outlines)],
      ['head', head],
      ['hhea', hhea],
      ['hmtx', hmtx],
      ['loca', loca],
      ['maxp', maxp],
    ] as const;
    return { bytes: fileOf([...tables].sort(([a], [b]) => (a < b ? -1 : 1))), order };
  }

  #copy(tag: string): Buffer {
    const { from, length } = this.#tables.get(tag) ?? { from: 0, length: 0 };
    return Buffer.from(this.#bytes.subarray(from, from + length));
  }
}

const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);

/** Flags of a part of a glyph that is put together of others. */
const WORDS = 0x1;
const SCALE = 0x8;
const MORE = 0x20;
const TWO_SCALES = 0x40;
const MATRIX = 0x80;

/** The glyphs that one is put together of, and where their numbers stand. */
function componentsOf(outline: Buffer): readonly { readonly glyph: number; readonly at: number }[] {
  if (outline.length < 10 || outline.readInt16BE(0) >= 0) return [];
  const parts: { glyph: number; at: number }[] = [];
  for (let at = 10; ; ) {
    const flags = outline.readUInt16BE(at);
    parts.push({ glyph: outline.readUInt16BE(at + 2), at: at + 2 });
    if ((flags & MORE) === 0) return parts;
    at += 4 + (flags & WORDS ? 4 : 2) + (flags & SCALE ? 2 : flags & TWO_SCALES ? 4 : flags & MATRIX ? 8 : 0);
  }
}

function fileOf(tables: readonly (readonly [tag: string, bytes: Buffer])[]): Buffer {
  const power = Math.floor(Math.log2(tables.length));
  const head = Buffer.alloc(12 + 16 * tables.length);
  head.writeUInt32BE(0x10000, 0);
  head.writeUInt16BE(tables.length, 4);
  head.writeUInt16BE(16 * 2 ** power, 6);
  head.writeUInt16BE(power, 8);
  head.writeUInt16BE(16 * (tables.length - 2 ** power), 10);
  let offset = head.length;
  tables.forEach(([tag, bytes], i) => {
    const at = 12 + 16 * i;
    head.write(tag, at, 'latin1');
    head.writeUInt32BE(checksum(padded(bytes)), at + 4);
    head.writeUInt32BE(offset, at + 8);
    head.writeUInt32BE(bytes.length, at + 12);
    offset += padded(bytes).length;
  });
  const file = Buffer.concat([head, ...tables.map(([, bytes]) => padded(bytes))]);
  const headAt = head.readUInt32BE(12 + 16 * tables.findIndex(([tag]) => tag === 'head') + 8);
  // The whole file's sum with this field at zero. Source: OpenType, head.checksumAdjustment.
  file.writeUInt32BE((0xb1b0afba - checksum(file)) >>> 0, headAt + 8);
  return file;
}

function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at + 3 < bytes.length; at += 4) sum = (sum + bytes.readUInt32BE(at)) >>> 0;
  return sum;
}
