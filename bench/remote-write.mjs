// Remote-write 1.0 bodies without dependencies: protobuf by hand and a small greedy snappy block encoder.
const varint = (n) => {
  const a = [];
  while (n >= 128) {
    a.push((n % 128) | 128);
    n = Math.floor(n / 128);
  }
  a.push(n);
  return Buffer.from(a);
};
const field = (tag, body) => Buffer.concat([Buffer.from([tag]), varint(body.length), body]);
export const labelBytes = (labels) =>
  Buffer.concat(
    Object.entries(labels)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => field(0x0a, Buffer.concat([field(0x0a, Buffer.from(k)), field(0x12, Buffer.from(String(v)))]))),
  );
export function timeSeries(encodedLabels, value, ms) {
  const v = Buffer.alloc(9);
  v[0] = 0x09;
  v.writeDoubleLE(value, 1);
  return field(0x0a, Buffer.concat([encodedLabels, field(0x12, Buffer.concat([v, Buffer.from([0x10]), varint(ms)]))]));
}
/** Snappy block format with back references (64 KiB windows). */
export function snappy(input) {
  const out = Buffer.allocUnsafe(32 + input.length + Math.ceil(input.length / 6));
  let o = 0;
  for (let n = input.length; ; ) {
    if (n < 128) {
      out[o++] = n;
      break;
    }
    out[o++] = (n & 127) | 128;
    n >>>= 7;
  }
  const literal = (from, to) => {
    for (let p = from; p < to; ) {
      const len = Math.min(to - p, 65536),
        n = len - 1;
      if (n < 60) out[o++] = n << 2;
      else if (n < 256) {
        out[o++] = 60 << 2;
        out[o++] = n;
      } else {
        out[o++] = 61 << 2;
        out[o++] = n & 255;
        out[o++] = n >> 8;
      }
      input.copy(out, o, p, p + len);
      o += len;
      p += len;
    }
  };
  const table = new Int32Array(1 << 14);
  for (let base = 0; base < input.length; base += 65536) {
    const end = Math.min(base + 65536, input.length);
    table.fill(-1);
    let anchor = base,
      p = base;
    while (p + 4 <= end) {
      const word = input.readInt32LE(p),
        h = Math.imul(word, 0x1e35a7bd) >>> 18,
        c = table[h];
      table[h] = p;
      if (c < base || input.readInt32LE(c) !== word) {
        p++;
        continue;
      }
      let len = 4;
      while (p + len < end && input[c + len] === input[p + len]) len++;
      literal(anchor, p);
      for (let left = len, off = p - c; left > 0; ) {
        const l = Math.min(left, 64);
        out[o++] = ((l - 1) << 2) | 2;
        out[o++] = off & 255;
        out[o++] = off >> 8;
        left -= l;
      }
      p += len;
      anchor = p;
    }
    literal(anchor, end);
  }
  return out.subarray(0, o);
}
