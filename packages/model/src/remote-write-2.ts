import { Malformed } from './malformed.ts';
import { MAX_LISTED, MAX_METADATA_PER_REQUEST, WIRE_TYPES, WriteWalk } from './remote-write-walk.ts';
import type { LabelSymbols } from './storage.ts';
import { grownIndexes } from './write-batch.ts';

/**
 * Remote write 2.0: walks a decoded `io.prometheus.write.v2.Request`. Every text stands once in its table of symbols and series
 * refer to them; the batch keeps it so (`LabelSymbols`). Start timestamps are skipped.
 * Messages: github.com/prometheus/prometheus/blob/main/prompb/io/prometheus/write/v2/types.proto
 */

/** What the labels of all series of a request may take written out: a few bytes can refer to a long symbol again and again. */
export const MAX_LABEL_BYTES = 32 * 1024 * 1024;
/** What a label takes beside its texts, at most: three tags and lengths. For each of its two texts. */
const REF_OVERHEAD_BYTES = 9;
/** The field of an exemplar that holds references to its labels, packed and one by one. */
const EXEMPLAR_REFS = [0x0a, 0x08];
/** Fields 1 to 3 are never used, so that a body of version 1.0 is not taken for an empty one. */
const LAST_RESERVED_FIELD = 3;
const METRIC_NAME = new TextEncoder().encode('__name__');

export class RemoteWrite2Decoder extends WriteWalk {
  /** Symbol `i` is `bytes[symbolFrom[i], symbolTo[i])`. */
  private symbolFrom = new Uint32Array(256);
  private symbolTo = new Uint32Array(256);
  private symbolCount = 0;
  private longestSymbol = 0;
  /** The symbol `__name__`, or -1. */
  private nameSymbol = -1;
  /** Symbols that are metric names whose metadata was read. */
  private described = new Uint8Array(256);
  /** Where the series' messages stand: symbols may come behind them. */
  private messageFrom = new Uint32Array(256);
  private messageTo = new Uint32Array(256);
  private messageCount = 0;
  /** Those of all series. */
  private refs = new Uint32Array(1024);
  private refCount = 0;
  /** No reference of the series that is being walked is beyond this. */
  private largestRef = 0;

  override get heldBytes(): number {
    return super.heldBytes + (this.symbolFrom.length + this.messageFrom.length) * 8 + this.refs.length * 4;
  }

  protected override labelBytes(): Uint8Array {
    return this.bytes;
  }

  protected override symbols(): LabelSymbols {
    return { count: this.symbolCount, from: this.symbolFrom, to: this.symbolTo, refs: this.refs };
  }

  protected override request(end: number): void {
    this.symbolCount = 0;
    this.nameSymbol = -1;
    this.messageCount = 0;
    this.longestSymbol = 0;
    this.refCount = 0;
    while (this.at < end) {
      const tag = this.varint(end);
      if (tag === 0x22) this.symbol(this.sized(end));
      else if (tag === 0x2a) this.message(this.sized(end));
      else if (tag >>> 3 <= LAST_RESERVED_FIELD) throw new Malformed(`field ${tag >>> 3}, which only version 1.0 has`, this.at);
      else this.skip(tag, end);
    }
    if (this.symbolCount > 0 && this.symbolFrom[0] !== this.symbolTo[0])
      throw new Malformed('the first symbol must be the empty text', this.symbolFrom[0] ?? 0);
    if (this.described.length < this.symbolCount) this.described = new Uint8Array(this.symbolFrom.length);
    this.described.fill(0, 0, this.symbolCount);
    for (let i = 0; i < this.messageCount; i++) {
      this.at = this.messageFrom[i] ?? 0;
      this.series(this.messageTo[i] ?? 0);
    }
    this.checkLabelBytes(end);
  }

  private symbol(end: number): void {
    const index = this.symbolCount;
    if (index === this.symbolFrom.length) {
      this.symbolFrom = grownIndexes(this.symbolFrom);
      this.symbolTo = grownIndexes(this.symbolTo);
    }
    this.symbolFrom[index] = this.at;
    this.symbolTo[index] = end;
    if (end - this.at > this.longestSymbol) this.longestSymbol = end - this.at;
    if (end - this.at === METRIC_NAME.length && this.isMetricName(this.at)) this.nameSymbol = index;
    this.symbolCount = index + 1;
    this.at = end;
  }

  private isMetricName(at: number): boolean {
    for (let i = 0; i < METRIC_NAME.length; i++) if (this.bytes[at + i] !== METRIC_NAME[i]) return false;
    return true;
  }

  private message(end: number): void {
    const index = this.messageCount;
    if (index === this.messageFrom.length) {
      this.messageFrom = grownIndexes(this.messageFrom);
      this.messageTo = grownIndexes(this.messageTo);
    }
    this.messageFrom[index] = this.at;
    this.messageTo[index] = end;
    this.messageCount = index + 1;
    this.at = end;
  }

  private series(end: number): void {
    if (this.seriesCount === this.from.length) this.growSeries();
    const index = this.seriesCount;
    const samplesBefore = this.sampleCount;
    let metadataFrom = 0;
    let metadataTo = 0;
    const refsFrom = this.refCount;
    this.largestRef = 0;
    while (this.at < end) {
      const tag = this.varint(end);
      if (tag === 0x12) this.sample(this.sized(end));
      else if (tag === 0x0a) this.packedRefs(this.sized(end));
      else if (tag === 0x08) this.ref(end);
      else if (tag === 0x2a) {
        metadataTo = this.sized(end);
        metadataFrom = this.at;
        this.at = metadataTo;
      } else if (tag === 0x1a) this.histogram(this.sized(end));
      else if (tag === 0x22) this.exemplar(this.sized(end), EXEMPLAR_REFS, this.exemplarRefs);
      else this.skip(tag, end);
    }
    const fault = this.faultOfRefs(refsFrom);
    if (fault !== undefined) {
      this.refCount = refsFrom;
      this.leaveOut(samplesBefore, fault);
      return;
    }
    this.from[index] = refsFrom;
    this.to[index] = this.refCount;
    this.seriesCount = index + 1;
    this.samples[index + 1] = this.sampleCount;
    if (metadataTo > metadataFrom) this.metadataEntry(refsFrom, metadataFrom, metadataTo);
  }

  /** Texts of the symbols that an exemplar's references mean; what there is no symbol for is the empty text. */
  private readonly exemplarRefs = (tag: number, end: number, texts: string[]): void => {
    const refsEnd = tag === 0x0a ? this.sized(end) : end;
    do {
      if (this.at >= refsEnd) return;
      texts.push(this.symbolText(this.varint(refsEnd)));
    } while (tag === 0x0a);
  };

  /** References below 2^14 stand in one or two bytes, and nearly all are. Hot. */
  private packedRefs(end: number): void {
    // Each takes a byte at least.
    while (this.refs.length < this.refCount + end - this.at) this.refs = grownIndexes(this.refs);
    const { bytes, refs } = this;
    let { at, refCount, largestRef } = this;
    while (at < end) {
      const first = bytes[at] ?? 0;
      const second = bytes[at + 1] ?? 0;
      let ref = first;
      if (first < 128) at++;
      else if (second < 128 && at + 1 < end) {
        ref = (first & 127) | (second << 7);
        at += 2;
      } else {
        this.at = at;
        ref = this.longRef(end);
        at = this.at;
      }
      refs[refCount++] = ref;
      if (ref > largestRef) largestRef = ref;
    }
    this.largestRef = largestRef;
    this.at = at;
    this.refCount = refCount;
  }

  private ref(end: number): void {
    if (this.refCount === this.refs.length) this.refs = grownIndexes(this.refs);
    const ref = this.longRef(end);
    this.refs[this.refCount++] = ref;
    if (ref > this.largestRef) this.largestRef = ref;
  }

  /** What does not fit 32 bits is beyond every table, as the answer is then. */
  private longRef(end: number): number {
    return Math.min(this.varint(end), 0xffffffff);
  }

  /** Why the references of the series, those from `refsFrom` on, mean nothing, if so. Every one is checked, so nothing else has to. */
  private faultOfRefs(refsFrom: number): string | undefined {
    const { refs, refCount, symbolCount } = this;
    if ((refCount - refsFrom) % 2 !== 0) return `${refCount - refsFrom} references, which are no pairs of name and value`;
    for (let i = refsFrom; i < refCount && this.largestRef >= symbolCount; i++) {
      const ref = refs[i] ?? 0;
      if (ref >= symbolCount) return `reference ${ref} where there are ${symbolCount} symbols`;
    }
    return undefined;
  }

  /** The series being walked does not come into the batch; the samples that it had are counted. */
  private leaveOut(samplesBefore: number, reason: string): void {
    this.leaveOutSamples(samplesBefore);
    if (this.malformedReasons.length < MAX_LISTED) this.malformedReasons.push(reason);
  }

  /** Symbols are added up one by one only when the longest of them everywhere would be too much. */
  private checkLabelBytes(end: number): void {
    const { refs, refCount, symbolFrom, symbolTo } = this;
    if (refCount * (this.longestSymbol + REF_OVERHEAD_BYTES) <= MAX_LABEL_BYTES) return;
    let length = refCount * REF_OVERHEAD_BYTES;
    for (let i = 0; i < refCount; i++) length += (symbolTo[refs[i] ?? 0] ?? 0) - (symbolFrom[refs[i] ?? 0] ?? 0);
    if (length > MAX_LABEL_BYTES)
      throw new Malformed(`the labels take more than ${MAX_LABEL_BYTES} bytes written out; send fewer series at once`, end);
  }

  /** Kept under the name of the series that it came with; of a name that comes often, the first is enough. */
  private metadataEntry(refsFrom: number, from: number, end: number): void {
    const name = this.metricName(refsFrom);
    if (name < 0 || this.described[name] === 1 || (this.metadata?.size ?? 0) >= MAX_METADATA_PER_REQUEST) return;
    this.described[name] = 1;
    let type = 0;
    let help = 0;
    let unit = 0;
    this.at = from;
    while (this.at < end) {
      const tag = this.varint(end);
      if (tag === 0x08) type = this.varint(end);
      else if (tag === 0x18) help = this.varint(end);
      else if (tag === 0x20) unit = this.varint(end);
      else this.skip(tag, end);
    }
    this.metadata ??= new Map();
    const said = { type: WIRE_TYPES[type] ?? 'unknown', help: this.symbolText(help), unit: this.symbolText(unit) };
    if (this.symbolFrom[name] !== this.symbolTo[name]) this.metadata.set(this.symbolText(name), said);
  }

  /** The symbol of the series' metric name, or -1. */
  private metricName(refsFrom: number): number {
    for (let i = refsFrom; i < this.refCount; i += 2) if (this.refs[i] === this.nameSymbol) return this.refs[i + 1] ?? -1;
    return -1;
  }

  /** The symbol as text, '' when there is none of that number. */
  private symbolText(symbol: number): string {
    return symbol < this.symbolCount ? this.textOf(this.symbolFrom[symbol] ?? 0, this.symbolTo[symbol] ?? 0) : '';
  }
}
