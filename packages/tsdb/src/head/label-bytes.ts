import { type Result, err } from '@nines/base/result.ts';
import { type Labels, METRIC_NAME, labelValue } from '@nines/model/labels.ts';
import { decodeText } from '@nines/model/decode-text.ts';
import { decodeLabels as decodeFields } from '@nines/model/write-batch.ts';
import { ByteWriter } from '../codec/bytes.ts';
import { CorruptData } from '../contract.ts';

/**
 * Labels as bytes. They arrive as protobuf `Label` fields in any order; the log and the page store keep them canonical:
 * sorted names and values in turn, each a varint length and UTF-8. Read only when a series is seen for the first time.
 */

/** What a series can have at all; what it may have is configured (limits.ts). The index counts labels in a byte. */
export const MAX_LABELS = 255;
export const MAX_NAME_BYTES = 1024;
/** A stack trace is not a label. */
export const MAX_VALUE_BYTES = 16 * 1024;

const encoder = new TextEncoder();

/** The labels in `bytes[from, to)`, or what is wrong with them, as a sentence. Labels with an empty value do not count. */
export function parseLabels(bytes: Uint8Array, from: number, to: number): Result<Labels, string> {
  const decoded = decodeFields(bytes, from, to);
  if (!decoded.ok) return decoded;
  const labels = decoded.value;
  if (labels.length > 2 * MAX_LABELS) return err(`${labels.length / 2} labels, the limit is ${MAX_LABELS}`);
  for (let i = 0; i < labels.length; i += 2) {
    const name = labels[i] ?? '';
    const value = labels[i + 1] ?? '';
    if (isLonger(name, MAX_NAME_BYTES)) return err(`a label name of more than ${MAX_NAME_BYTES} bytes: "${name.slice(0, 40)}…"`);
    if (isLonger(value, MAX_VALUE_BYTES)) return err(`the label ${JSON.stringify(name)} has a value of more than ${MAX_VALUE_BYTES} bytes`);
  }
  return labelValue(labels, METRIC_NAME) === '' ? err(`the series has no ${METRIC_NAME}`) : decoded;
}

/** Whether a text takes more than `limit` bytes. UTF-8 takes one to three bytes for each UTF-16 unit, so most texts need no counting. */
export function isLonger(text: string, limit: number): boolean {
  if (text.length > limit) return true;
  return text.length * 3 > limit && encoder.encode(text).length > limit;
}

/** Canonical bytes of a label set. */
export function encodeLabels(labels: Labels): Uint8Array {
  const writer = new ByteWriter(256);
  for (const text of labels) writer.text(text);
  return writer.copy();
}

/** Throws `CorruptData` when the bytes are not a canonical label set. */
export function decodeLabels(bytes: Uint8Array): Labels {
  const { from, to, count } = places.read(bytes, 0, bytes.length);
  const labels: string[] = [];
  for (let i = 0; i < count; i++) labels.push(textAt(bytes, from[i] as number, to[i] as number));
  return labels;
}

/** Throws `CorruptData` when that is not UTF-8. */
export function textAt(bytes: Uint8Array, from: number, to: number): string {
  try {
    return decodeText(bytes, from, to);
  } catch (thrown) {
    if (thrown instanceof TypeError) throw new CorruptData('labels that are not UTF-8');
    throw thrown;
  }
}

/** Where the texts of a canonical label set stand in its bytes. */
export class TextPlaces {
  readonly from = new Uint32Array(2 * MAX_LABELS);
  readonly to = new Uint32Array(2 * MAX_LABELS);
  count = 0;

  /** Throws `CorruptData`. Valid until the next call. */
  read(bytes: Uint8Array, from: number, end: number): this {
    let count = 0;
    for (let at = from; at < end; ) {
      let length = 0;
      let scale = 1;
      for (;;) {
        // Four bytes hold more than any label.
        if (at === end || scale > 2 ** 21) throw new CorruptData('labels that end early');
        const byte = bytes[at++] as number;
        length += (byte & 0x7f) * scale;
        if (byte < 128) break;
        scale *= 128;
      }
      if (length > end - at) throw new CorruptData('labels that end early');
      if (count === this.from.length) throw new CorruptData(`more than ${MAX_LABELS} labels`);
      this.from[count] = at;
      this.to[count++] = at += length;
    }
    if (count === 0 || count % 2 !== 0) throw new CorruptData('a label without a value');
    this.count = count;
    return this;
  }
}

const places = new TextPlaces();
