/** The labels as protobuf `Label` fields, sorted by name. */
export function labelBytes(labels: Readonly<Record<string, string>>): Buffer;
/** A `TimeSeries` field of a remote-write 1.0 request with one sample; `ms` in Unix milliseconds. */
export function timeSeries(encodedLabels: Buffer, value: number, ms: number): Buffer;
/** Snappy block format. */
export function snappy(input: Buffer): Buffer;
