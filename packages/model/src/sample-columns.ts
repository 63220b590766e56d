import { grownFloats } from './write-batch.ts';

/** Samples of one series as they are decoded: times in Unix milliseconds, values as 32-bit halves, low first, so that every bit stays. */
export class SampleColumns {
  times = new Float64Array(256);
  bits = new Uint32Array(512);
  length = 0;

  push(time: number, low: number, high: number): void {
    if (this.length === this.times.length) {
      this.times = grownFloats(this.times);
      const bits = new Uint32Array(this.bits.length * 2);
      bits.set(this.bits);
      this.bits = bits;
    }
    this.times[this.length] = time;
    this.bits[2 * this.length] = low;
    this.bits[2 * this.length + 1] = high;
    this.length++;
  }

  clear(): void {
    this.length = 0;
  }

  /** Leaves out the samples at other times. */
  keep(isWanted: (atMs: number) => boolean): void {
    let kept = 0;
    for (let i = 0; i < this.length; i++) {
      const time = this.times[i] ?? 0;
      if (!isWanted(time)) continue;
      this.times[kept] = time;
      this.bits[2 * kept] = this.bits[2 * i] ?? 0;
      this.bits[2 * kept + 1] = this.bits[2 * i + 1] ?? 0;
      kept++;
    }
    this.length = kept;
  }
}
