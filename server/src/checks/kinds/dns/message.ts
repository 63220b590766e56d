/** Questions and answers of the domain name system as they go over the wire (RFC 1035; RFC 6891 for EDNS). */

export const RECORD_TYPES = ['A', 'AAAA', 'CAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT'] as const;
export type RecordType = (typeof RECORD_TYPES)[number];
export const RESPONSE_CODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'] as const;
export type ResponseCode = (typeof RESPONSE_CODES)[number];

const TYPE_NUMBERS: Readonly<Record<RecordType, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  CAA: 257,
};
const OPT = 41;
const CLASS_IN = 1;
/** What fits into every path without fragments (DNS flag day 2020). */
const UDP_PAYLOAD_BYTES = 1232;
/** Records of one answer that are read; more is no answer to a health check. */
const MAX_RECORDS = 1_000;

export type Question = { readonly id: number; readonly name: string; readonly type: RecordType; readonly recursion: boolean };

export type DnsAnswer = {
  readonly code: ResponseCode | `RCODE${number}`;
  readonly truncated: boolean;
  /** Values of the records of the type that was asked for, as in a zone file; names in lower case without the last dot. */
  readonly values: readonly string[];
  /** Of a start of authority. */
  readonly serial: number | undefined;
  /** How many records each section has; EDNS' own is not counted. */
  readonly counts: { readonly answer: number; readonly authority: number; readonly additional: number };
};

export function encodeQuestion({ id, name, type, recursion }: Question): Buffer {
  const labels = name.replace(/\.$/, '').split('.').filter(Boolean);
  const parts: Buffer[] = [uint16(id, recursion ? 0x0100 : 0, 1, 0, 0, 1)];
  for (const label of labels) parts.push(Buffer.from([label.length]), Buffer.from(label, 'latin1'));
  parts.push(Buffer.from([0]), uint16(TYPE_NUMBERS[type], CLASS_IN));
  // The root, type OPT, payload, extended code and flags, no data.
  parts.push(Buffer.from([0]), uint16(OPT, UDP_PAYLOAD_BYTES, 0, 0, 0));
  return Buffer.concat(parts);
}

const uint16 = (...values: readonly number[]): Buffer => {
  const buffer = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) buffer.writeUInt16BE(value, index * 2);
  return buffer;
};

/** Undefined when the message answers another question: a stray packet, or one that someone forged. Throws `RangeError` when it is broken. */
export function decodeAnswer(message: Buffer, question: Question): DnsAnswer | undefined {
  if (message.length < 12 || message.readUInt16BE(0) !== question.id || (message.readUInt16BE(2) & 0x8000) === 0) return undefined;
  const flags = message.readUInt16BE(2);
  const reader = new Reader(message, 12);
  const asked = message.readUInt16BE(4);
  if (asked > 1) return undefined;
  if (asked === 1) {
    const name = reader.name();
    const type = reader.uint16();
    reader.uint16();
    if (name !== plainName(question.name) || type !== TYPE_NUMBERS[question.type]) return undefined;
  }
  const [answers = 0, authorities = 0, additionals = 0] = [6, 8, 10].map((at) => message.readUInt16BE(at));
  if (answers + authorities + additionals > MAX_RECORDS) throw new RangeError(`more than ${MAX_RECORDS} records`);
  const truncated = (flags & 0x0200) !== 0;
  const code = codeOf(flags & 0x0f);
  if (truncated)
    return { code, truncated, values: [], serial: undefined, counts: { answer: answers, authority: authorities, additional: additionals } };
  const values: string[] = [];
  let serial: number | undefined;
  let options = 0;
  for (let index = 0; index < answers + authorities + additionals; index++) {
    const record = reader.record();
    if (record.type === OPT) options++;
    if (index >= answers || record.type !== TYPE_NUMBERS[question.type]) continue;
    const value = valueOf(question.type, new Reader(message, record.from, record.to));
    values.push(value.text);
    serial = value.serial ?? serial;
  }
  return { code, truncated, values, serial, counts: { answer: answers, authority: authorities, additional: additionals - options } };
}

const codeOf = (number: number): DnsAnswer['code'] => RESPONSE_CODES[number] ?? `RCODE${number}`;

const plainName = (name: string): string => name.replace(/\.$/, '').toLowerCase();

type Value = { readonly text: string; readonly serial?: number };

function valueOf(type: RecordType, data: Reader): Value {
  switch (type) {
    case 'A':
      return { text: [...data.rest(4)].join('.') };
    case 'AAAA':
      return { text: ipv6(data.rest(16)) };
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return { text: data.name() };
    case 'MX':
      return { text: `${data.uint16()} ${data.name()}` };
    case 'SRV':
      return { text: `${data.uint16()} ${data.uint16()} ${data.uint16()} ${data.name()}` };
    case 'SOA': {
      const names = `${data.name()} ${data.name()}`;
      const serial = data.uint32();
      return { text: `${names} ${serial} ${data.uint32()} ${data.uint32()} ${data.uint32()} ${data.uint32()}`, serial };
    }
    case 'TXT':
      return { text: data.strings() };
    case 'CAA': {
      const critical = data.uint8();
      const tag = data.string();
      return { text: `${critical} ${tag} ${data.rest().toString('utf8')}` };
    }
  }
}

/** In the short form that people write (RFC 5952). */
const ipv6 = (bytes: Buffer): string => shortIpv6(bytes.toString('hex').replace(/(.{4})(?!$)/g, '$1:'));
export const shortIpv6 = (address: string): string =>
  URL.canParse(`http://[${address}]/`) ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address;

/** Reads forward within `[at, end)`; names may point back to anywhere before. */
class Reader {
  readonly #message: Buffer;
  readonly #end: number;
  #at: number;

  constructor(message: Buffer, at: number, end = message.length) {
    this.#message = message;
    this.#at = at;
    this.#end = end;
  }

  #step(count: number): number {
    const from = this.#at;
    if (from + count > this.#end) throw new RangeError('the message ends in the middle of a record');
    this.#at += count;
    return from;
  }

  uint8 = (): number => this.#message.readUInt8(this.#step(1));
  uint16 = (): number => this.#message.readUInt16BE(this.#step(2));
  uint32 = (): number => this.#message.readUInt32BE(this.#step(4));

  /** Everything that is left; with `count`, it must be that many bytes. */
  rest(count = this.#end - this.#at): Buffer {
    if (this.#end - this.#at !== count) throw new RangeError(`a record has ${this.#end - this.#at} bytes, expected ${count}`);
    const from = this.#step(count);
    return this.#message.subarray(from, from + count);
  }

  string(): string {
    const length = this.uint8();
    const from = this.#step(length);
    return this.#message.toString('utf8', from, from + length);
  }

  /** The strings of a text record are one text, cut every 255 bytes. */
  strings(): string {
    const parts: string[] = [];
    while (this.#at < this.#end) parts.push(this.string());
    return parts.join('');
  }

  record(): { readonly type: number; readonly from: number; readonly to: number } {
    this.name();
    const type = this.uint16();
    this.#step(6);
    const length = this.uint16();
    const from = this.#step(length);
    return { type, from, to: from + length };
  }

  /** Pointers lead back only, so that no message can lead in a circle. */
  name(): string {
    const labels: string[] = [];
    let at = this.#at;
    let jumped = false;
    for (let limit = at; ; ) {
      const length = this.#message.readUInt8(at);
      if (length >= 0xc0) {
        const target = this.#message.readUInt16BE(at) & 0x3fff;
        if (target >= limit) throw new RangeError('a name points forward');
        if (!jumped) this.#at = at + 2;
        jumped = true;
        limit = target;
        at = target;
        continue;
      }
      if (length > 63) throw new RangeError('a label is longer than 63 bytes');
      at += 1 + length;
      if (length === 0) break;
      labels.push(this.#message.toString('latin1', at - length, at).toLowerCase());
    }
    if (!jumped) this.#at = at;
    if (this.#at > this.#end) throw new RangeError('a name ends behind its record');
    return labels.join('.');
  }
}
