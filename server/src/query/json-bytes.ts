import { formatValue } from '@nines/promql/value.ts';

/**
 * JSON as bytes. A range query has hundreds of thousands of points, and a string for each number costs several times what
 * evaluating it does.
 */
const INITIAL_BYTES = 64 * 1024;
/** The longest a number gets: sign, digits, point, exponent. */
const MAX_NUMBER_BYTES = 40;
const ZERO = 48;
const POINT = 46;
const MINUS = 45;
const COMMA = 44;
const QUOTE = 34;
const OPEN = 91;
const CLOSE = 93;
/** Above this many thousandths or millionths a value might have more than 15 digits, and then others may write the same double shorter. */
const MAX_SCALED = 1e15;

export class JsonBytes {
  #bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  #at = 0;

  get length(): number {
    return this.#at;
  }

  /** What was written so far; begins anew. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#at);
    this.#bytes = Buffer.allocUnsafe(INITIAL_BYTES);
    this.#at = 0;
    return taken;
  }

  #ensure(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#at + count, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }

  text(text: string): void {
    this.#ensure(text.length * 3);
    this.#at += this.#bytes.write(text, this.#at, 'utf8');
  }

  /** A point of a range: `[1795226415.500,"0.25"]`, with a comma before it unless it is the first. */
  point(atMs: number, value: number, isFirst: boolean): void {
    this.#ensure(2 * MAX_NUMBER_BYTES);
    if (!isFirst) this.#bytes[this.#at++] = COMMA;
    this.#bytes[this.#at++] = OPEN;
    this.#time(atMs);
    this.#bytes[this.#at++] = COMMA;
    this.#bytes[this.#at++] = QUOTE;
    this.value(value);
    this.#ensure(2);
    this.#bytes[this.#at++] = QUOTE;
    this.#bytes[this.#at++] = CLOSE;
  }

  /** Unix seconds: an integer, or exactly three decimals. Source: prometheus util/jsonutil.MarshalTimestamp. There is room. */
  #time(atMs: number): void {
    let rest = atMs;
    if (rest < 0) {
      this.#bytes[this.#at++] = MINUS;
      rest = -rest;
    }
    const seconds = Math.floor(rest / 1000);
    this.#integer(seconds);
    const fraction = rest - seconds * 1000;
    if (fraction === 0) return;
    this.#bytes[this.#at] = POINT;
    this.#bytes[this.#at + 1] = ZERO + ((fraction / 100) | 0);
    this.#bytes[this.#at + 2] = ZERO + (((fraction / 10) | 0) % 10);
    this.#bytes[this.#at + 3] = ZERO + (fraction % 10);
    this.#at += 4;
  }

  /**
   * A sample's value as `formatValue` writes it. Nearly all are decimals of few places, which are written digit by digit: a decimal
   * of at most 15 digits that reads back as the value is the shortest there is.
   */
  value(value: number): void {
    this.#ensure(MAX_NUMBER_BYTES);
    const thousandths = Math.round(value * 1000);
    if (thousandths / 1000 === value && thousandths < MAX_SCALED && thousandths > -MAX_SCALED && value !== 0) {
      this.#decimal(thousandths, 3);
      return;
    }
    const millionths = Math.round(value * 1e6);
    if (millionths / 1e6 === value && millionths < MAX_SCALED && millionths > -MAX_SCALED && value !== 0) {
      this.#decimal(millionths, 6);
      return;
    }
    this.text(formatValue(value));
  }

  /** `scaled` over 10^`places`, without the zeros at its end. There is room. */
  #decimal(scaled: number, places: number): void {
    const bytes = this.#bytes;
    let rest = scaled;
    if (rest < 0) {
      bytes[this.#at++] = MINUS;
      rest = -rest;
    }
    const scale = places === 3 ? 1000 : 1_000_000;
    const whole = Math.floor(rest / scale);
    this.#integer(whole);
    let fraction = rest - whole * scale;
    if (fraction === 0) return;
    let digits = places;
    while (fraction % 10 === 0) {
      fraction /= 10;
      digits--;
    }
    bytes[this.#at] = POINT;
    for (let at = this.#at + digits; at > this.#at; at--) {
      bytes[at] = ZERO + (fraction % 10);
      fraction = (fraction / 10) | 0;
    }
    this.#at += digits + 1;
  }

  /** A whole number from 0 to 10^15. */
  #integer(value: number): void {
    const bytes = this.#bytes;
    let high = 0;
    let low = value;
    if (value >= 1e9) {
      high = Math.floor(value / 1e9);
      low = value - high * 1e9;
      this.#integer(high);
    }
    let digits = 1;
    if (high > 0) digits = 9;
    else for (let limit = 10; low >= limit; limit *= 10) digits++;
    for (let at = this.#at + digits - 1; at >= this.#at; at--) {
      bytes[at] = ZERO + (low % 10);
      low = (low / 10) | 0;
    }
    this.#at += digits;
  }
}
