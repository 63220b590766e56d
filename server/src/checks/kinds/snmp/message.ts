/** Messages of SNMPv1 and v2c (RFC 1157, RFC 3416) in ASN.1's basic encoding, as far as a GET of one object needs them. */

const TAGS = { integer: 0x02, octets: 0x04, nothing: 0x05, oid: 0x06, sequence: 0x30, get: 0xa0, response: 0xa2 } as const;
/** Types of RFC 2578 that are unsigned numbers: Counter32, Gauge32, TimeTicks, Counter64. */
const UNSIGNED: ReadonlySet<number> = new Set([0x41, 0x42, 0x43, 0x46]);
const IP_ADDRESS = 0x40;
/** What v2c puts in place of a value. */
const ABSENT: Readonly<Record<number, string>> = { 0x80: 'noSuchObject', 0x81: 'noSuchInstance', 0x82: 'endOfMibView' };
const ERRORS = ['noError', 'tooBig', 'noSuchName', 'badValue', 'readOnly', 'genErr'] as const;

export type SnmpQuestion = {
  readonly id: number;
  readonly version: '1' | '2c';
  readonly community: string;
  readonly oid: string;
};

/** A value as text and, where it is one, as a number. */
export type SnmpAnswer =
  | { readonly kind: 'value'; readonly text: string; readonly value: number | undefined }
  | { readonly kind: 'absent'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

export function encodeGet({ id, version, community, oid }: SnmpQuestion): Buffer {
  const binding = tlv(TAGS.sequence, tlv(TAGS.oid, encodeOid(oid)), tlv(TAGS.nothing));
  const request = tlv(TAGS.get, int(id), int(0), int(0), tlv(TAGS.sequence, binding));
  return tlv(TAGS.sequence, int(version === '1' ? 0 : 1), tlv(TAGS.octets, Buffer.from(community)), request);
}

/** Undefined when it answers another question. Throws `RangeError` when it is broken. */
export function decodeResponse(message: Buffer, question: SnmpQuestion): SnmpAnswer | undefined {
  const whole = new Reader(new Reader(message).expect(TAGS.sequence));
  whole.expect(TAGS.integer);
  whole.expect(TAGS.octets);
  const response = new Reader(whole.expect(TAGS.response));
  if (signed(response.expect(TAGS.integer)) !== BigInt(question.id)) return undefined;
  const error = Number(signed(response.expect(TAGS.integer)));
  response.expect(TAGS.integer);
  if (error === ERRORS.indexOf('noSuchName')) return { kind: 'absent', reason: 'noSuchName' };
  if (error !== 0) return { kind: 'refused', reason: ERRORS[error] ?? `error ${error}` };
  const binding = new Reader(new Reader(response.expect(TAGS.sequence)).expect(TAGS.sequence));
  const oid = decodeOid(binding.expect(TAGS.oid));
  if (oid !== question.oid.replace(/^\./, '')) throw new RangeError(`the answer is about ${oid}`);
  return valueOf(binding.next());
}

function valueOf({ tag, content }: { readonly tag: number; readonly content: Buffer }): SnmpAnswer {
  const absent = ABSENT[tag];
  if (absent !== undefined) return { kind: 'absent', reason: absent };
  if (tag === TAGS.integer) return number(signed(content));
  if (UNSIGNED.has(tag)) return number(BigInt(`0x${content.toString('hex') || '0'}`));
  if (tag === TAGS.oid) return { kind: 'value', text: decodeOid(content), value: undefined };
  if (tag === IP_ADDRESS) return { kind: 'value', text: [...content].join('.'), value: undefined };
  if (tag === TAGS.nothing) return { kind: 'absent', reason: 'null' };
  const text = content.toString('utf8');
  // Some agents give numbers as text.
  return { kind: 'value', text, value: /^\s*-?\d+(\.\d+)?\s*$/.test(text) ? Number(text) : undefined };
}

const number = (value: bigint): SnmpAnswer => ({ kind: 'value', text: String(value), value: Number(value) });

const signed = (content: Buffer): bigint =>
  content.length === 0 ? 0n : BigInt.asIntN(content.length * 8, BigInt(`0x${content.toString('hex')}`));

function tlv(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  const head = length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(head), body]);
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return tlv(TAGS.integer, bytes);
}

function encodeOid(oid: string): Buffer {
  const [first = 0, second = 0, ...rest] = oid.replace(/^\./, '').split('.').map(Number);
  return Buffer.from([first * 40 + second, ...rest].flatMap(base128));
}

function base128(value: number): number[] {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift((rest % 128) + 128);
  return digits;
}

function decodeOid(content: Buffer): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 127);
    if (byte >= 128) continue;
    arcs.push(arc);
    arc = 0;
  }
  const [head = 0, ...rest] = arcs;
  const first = Math.min(2, Math.floor(head / 40));
  return [first, head - first * 40, ...rest].join('.');
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  next(): { readonly tag: number; readonly content: Buffer } {
    const tag = this.#byte();
    const short = this.#byte();
    let length = short;
    if (short >= 128) {
      if (short === 128 || short > 131) throw new RangeError('a length is not written as it may be');
      length = 0;
      for (let left = short & 127; left > 0; left--) length = length * 256 + this.#byte();
    }
    const content = this.#bytes.subarray(this.#at, this.#at + length);
    if (content.length < length) throw new RangeError('the message ends in the middle of a value');
    this.#at += length;
    return { tag, content };
  }

  expect(tag: number): Buffer {
    const next = this.next();
    if (next.tag !== tag) throw new RangeError(`found type ${next.tag}, expected ${tag}`);
    return next.content;
  }

  #byte(): number {
    return this.#bytes.readUInt8(this.#at++);
  }
}
