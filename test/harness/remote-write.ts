import assert from 'node:assert/strict';

/** A remote-write 1.0 sender of a few lines, independent of the product's own codecs: protobuf by hand, snappy as literals only. */
const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
};
const field = (tag: number, body: Uint8Array): Buffer => Buffer.concat([Buffer.from([tag]), varint(body.length), body]);

export type WrittenSeries = {
  readonly labels: Readonly<Record<string, string>>;
  /** A series that ends is told so by a stale marker. */
  readonly samples: readonly (readonly [atMs: number, value: number | 'stale'])[];
};

/** The NaN that ends a series. Source: prometheus model/value. */
const STALE = 0x7ff0000000000002n;

export function encodeWriteRequest(series: readonly WrittenSeries[]): Buffer {
  return Buffer.concat(
    series.map(({ labels, samples }) => {
      const names = Object.keys(labels).sort();
      const encodedLabels = names.map((name) =>
        field(0x0a, Buffer.concat([field(0x0a, Buffer.from(name)), field(0x12, Buffer.from(labels[name] ?? ''))])),
      );
      const encodedSamples = samples.map(([atMs, value]) => {
        const number = Buffer.alloc(9);
        number[0] = 0x09;
        if (value === 'stale') number.writeBigUInt64LE(STALE, 1);
        else number.writeDoubleLE(value, 1);
        return field(0x12, Buffer.concat([number, Buffer.from([0x10]), varint(atMs)]));
      });
      return field(0x0a, Buffer.concat([...encodedLabels, ...encodedSamples]));
    }),
  );
}

export function snappyLiterals(input: Uint8Array): Buffer {
  const parts: Uint8Array[] = [varint(input.length)];
  for (let at = 0; at < input.length; at += 60) {
    const piece = input.subarray(at, at + 60);
    parts.push(Buffer.from([(piece.length - 1) << 2]), piece);
  }
  return Buffer.concat(parts);
}

export const WRITE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'x-prometheus-remote-write-version': '0.1.0',
};

export const writeBody = (series: readonly WrittenSeries[]): Buffer => snappyLiterals(encodeWriteRequest(series));

/** Sends the series to each server; all must take them. */
export async function writeTo(bases: readonly string[], series: readonly WrittenSeries[]): Promise<void> {
  const body = new Uint8Array(writeBody(series));
  for (const base of bases) {
    const answer = await fetch(`${base}/api/v1/write`, { method: 'POST', headers: WRITE_HEADERS, body });
    assert.ok(answer.ok, `${base}: ${answer.status} ${await answer.text()}`);
  }
}
