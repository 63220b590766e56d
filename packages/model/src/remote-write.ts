import { ByteBuffer } from './byte-buffer.ts';
import { Malformed } from './malformed.ts';
import { MAX_METADATA_PER_REQUEST, WIRE_TYPES, WriteWalk } from './remote-write-walk.ts';

/** The field of an exemplar that holds a label. */
const EXEMPLAR_LABELS = [0x0a];

/**
 * Remote write 1.0: walks a decoded `prometheus.WriteRequest` into the arrays of a `WriteBatch`. Label bytes stay where they
 * are and are only pointed at, so a known series costs no string. The whole body is walked before anything is handed out:
 * a malformed one gives nothing.
 * Messages: github.com/prometheus/prometheus/blob/main/prompb/types.proto
 */
export class RemoteWriteDecoder extends WriteWalk {
  /** The body followed by the labels that had to be moved together; only used when a series' labels do not stand together. */
  private readonly aside = new ByteBuffer();
  private asideUsed = 0;

  override get heldBytes(): number {
    return super.heldBytes + this.aside.capacity;
  }

  protected override labelBytes(): Uint8Array {
    return this.asideUsed === 0 ? this.bytes : this.aside.bytes;
  }

  protected override request(end: number): void {
    this.asideUsed = 0;
    while (this.at < end) {
      const tag = this.varint(end);
      if (tag === 0x0a) this.series(this.sized(end));
      else if (tag === 0x1a) this.metadataEntry(this.sized(end));
      // Passing over them would answer that all was stored.
      else if (tag === 0x22 || tag === 0x2a) throw new Malformed(`field ${tag >>> 3}, which only version 2.0 has`, this.at);
      else this.skip(tag, end);
    }
  }

  private series(end: number): void {
    if (this.seriesCount === this.from.length) this.growSeries();
    const index = this.seriesCount;
    let labelsFrom = this.at;
    this.skipShortLabels(end);
    let labelsTo = this.at;
    while (this.at < end) {
      const fieldAt = this.at;
      const tag = this.varint(end);
      if (tag === 0x0a) {
        this.label(this.sized(end));
        if (labelsTo === fieldAt) labelsTo = this.at;
        else if (labelsTo === labelsFrom) {
          labelsFrom = fieldAt;
          labelsTo = this.at;
        } else {
          const moved = this.moveTogether({ labelsFrom, labelsTo, fieldAt });
          labelsFrom = moved.from;
          labelsTo = moved.to;
        }
      } else if (tag === 0x12) this.sample(this.sized(end));
      else if (tag === 0x22) this.histogram(this.sized(end));
      else if (tag === 0x1a) this.exemplar(this.sized(end), EXEMPLAR_LABELS, this.exemplarLabel);
      else this.skip(tag, end);
    }
    this.from[index] = labelsFrom;
    this.to[index] = labelsTo;
    this.seriesCount = index + 1;
    this.samples[index + 1] = this.sampleCount;
  }

  /** Passes over labels as every sender writes them: name, then value, lengths of one byte. Stops before anything else. */
  private skipShortLabels(end: number): void {
    const { bytes } = this;
    let { at } = this;
    while (at + 6 <= end && bytes[at] === 0x0a && bytes[at + 2] === 0x0a) {
      const length = bytes[at + 1] ?? 128;
      const name = bytes[at + 3] ?? 128;
      const valueAt = at + 4 + name;
      const value = bytes[valueAt + 1] ?? 128;
      const to = valueAt + 2 + value;
      if (length > 127 || name > 127 || value > 127 || bytes[valueAt] !== 0x12 || to !== at + 2 + length || to > end) break;
      at = to;
    }
    this.at = at;
  }

  private readonly exemplarLabel = (_tag: number, end: number, texts: string[]): void => {
    const labelEnd = this.sized(end);
    let name = '';
    let value = '';
    while (this.at < labelEnd) {
      const tag = this.varint(labelEnd);
      if (tag === 0x0a) name = this.text(labelEnd);
      else if (tag === 0x12) value = this.text(labelEnd);
      else this.skip(tag, labelEnd);
    }
    texts.push(name, value);
  };

  /** Checks that a label can be decoded; the store reads it when it does not know the bytes. */
  private label(end: number): void {
    while (this.at < end) {
      const tag = this.varint(end);
      if (tag === 0x0a || tag === 0x12) this.at = this.sized(end);
      else this.skip(tag, end);
    }
  }

  private metadataEntry(end: number): void {
    let type = 0;
    let name = '';
    let help = '';
    let unit = '';
    while (this.at < end) {
      const tag = this.varint(end);
      if (tag === 0x08) type = this.varint(end);
      else if (tag === 0x12) name = this.text(end);
      else if (tag === 0x22) help = this.text(end);
      else if (tag === 0x2a) unit = this.text(end);
      else this.skip(tag, end);
    }
    this.metadata ??= new Map();
    if (name !== '' && this.metadata.size < MAX_METADATA_PER_REQUEST)
      this.metadata.set(name, { type: WIRE_TYPES[type] ?? 'unknown', help, unit });
  }

  /** Copies the labels so far and the one that ends at `this.at` behind each other. Once begun, the series' labels live aside. */
  private moveTogether(labels: { labelsFrom: number; labelsTo: number; fieldAt: number }): { from: number; to: number } {
    const body = this.bytes.length;
    if (this.asideUsed === 0) {
      // Each label is copied at most once, so twice the body is enough.
      this.aside.reserve(body * 2).set(this.bytes);
      this.asideUsed = body;
    }
    const out = this.aside.bytes;
    let from = labels.labelsFrom;
    if (labels.labelsTo <= body) {
      from = this.asideUsed;
      out.copyWithin(from, labels.labelsFrom, labels.labelsTo);
      this.asideUsed += labels.labelsTo - labels.labelsFrom;
    }
    out.set(this.bytes.subarray(labels.fieldAt, this.at), this.asideUsed);
    this.asideUsed += this.at - labels.fieldAt;
    return { from, to: this.asideUsed };
  }
}
