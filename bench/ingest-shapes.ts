import { encodeSnappy } from '../packages/model/src/snappy.ts';

/**
 * Remote-write bodies in the shapes that senders have: how many series, how many of them a request, how wide their labels are,
 * in which order they come, how many senders there are.
 */
export type Shape = {
  readonly name: string;
  readonly series: number;
  /** Series of a request. */
  readonly batch: number;
  readonly labels: 'narrow' | 'ordinary' | 'wide';
  /** Series come in another order each scrape. */
  readonly shuffle: boolean;
  /** Share of the series that end and are replaced each scrape. */
  readonly churn: number;
  /** Each has series of its own, writes labels in an order of its own and sends beside the others. */
  readonly senders: number;
  readonly protocol: 1 | 2;
};

const ORDINARY: Shape = {
  name: 'in order, 2 000 a request',
  series: 20_000,
  batch: 2_000,
  labels: 'ordinary',
  shuffle: false,
  churn: 0,
  senders: 1,
  protocol: 1,
};

export const SHAPES: Readonly<Record<string, Shape>> = {
  ordinary: ORDINARY,
  small: { ...ORDINARY, name: '200 a request', batch: 200 },
  tiny: { ...ORDINARY, name: '100 a request, 2 000 series', series: 2_000, batch: 100 },
  few: { ...ORDINARY, name: '2 000 series', series: 2_000 },
  large: { ...ORDINARY, name: '10 000 a request', batch: 10_000 },
  many: { ...ORDINARY, name: '200 000 series', series: 200_000 },
  shuffled: { ...ORDINARY, name: 'another order each scrape', shuffle: true },
  manyShuffled: { ...ORDINARY, name: '200 000 series, another order each scrape', series: 200_000, shuffle: true },
  narrow: { ...ORDINARY, name: '3 short labels', labels: 'narrow' },
  wide: { ...ORDINARY, name: '20 labels', labels: 'wide' },
  churn: { ...ORDINARY, name: '1 % of the series replaced each scrape', churn: 0.01 },
  senders: { ...ORDINARY, name: '4 senders, each its own label order', senders: 4 },
  second: { ...ORDINARY, name: 'remote write 2.0, in order', protocol: 2 },
  secondSmall: { ...ORDINARY, name: 'remote write 2.0, 200 a request', batch: 200, protocol: 2 },
  secondWide: { ...ORDINARY, name: 'remote write 2.0, 20 labels', labels: 'wide', protocol: 2 },
  secondShuffled: { ...ORDINARY, name: 'remote write 2.0, another order each scrape', shuffle: true, protocol: 2 },
};

const NAMES = [
  'node_cpu_seconds_total',
  'node_network_receive_bytes_total',
  'http_requests_total',
  'http_request_duration_seconds_bucket',
  'node_memory_MemAvailable_bytes',
  'process_resident_memory_bytes',
  'go_goroutines',
  'node_filesystem_avail_bytes',
  'node_disk_io_time_seconds_total',
  'up',
];

export const INTERVAL_MS = 15_000;

let seed = 42;
const random = (): number => {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return seed / 0x7fffffff;
};

type Series = { readonly kind: number; labels: readonly (readonly [string, string])[]; encoded: Uint8Array; value: number; step: number };

/** Bodies of one scrape after another; `[sender][request]`, compressed. */
export function* scrapes(shape: Shape, count: number, firstMs: number): Generator<readonly (readonly Uint8Array[])[]> {
  seed = 42;
  const all = Array.from({ length: shape.series }, (_, i) => makeSeries(shape, i, 0));
  const perSender = Math.ceil(shape.series / shape.senders);
  const orders = Array.from({ length: shape.senders }, (_, sender) =>
    Array.from({ length: Math.min(perSender, shape.series - sender * perSender) }, (__, i) => sender * perSender + i),
  );
  for (let scrape = 0; scrape < count; scrape++) {
    for (let ended = 0; ended < shape.series * shape.churn; ended++) {
      const i = Math.floor(random() * shape.series);
      all[i] = makeSeries(shape, i, scrape + 1);
    }
    if (shape.shuffle) for (const order of orders) shuffle(order);
    yield orders.map((order) => {
      const bodies: Uint8Array[] = [];
      for (let at = 0; at < order.length; at += shape.batch) {
        const part = order.slice(at, at + shape.batch).map((i) => all[i] as Series);
        for (const one of part) advance(one);
        bodies.push(
          encodeSnappy(
            shape.protocol === 1 ? firstVersion(part, firstMs + scrape * INTERVAL_MS) : secondVersion(part, firstMs + scrape * INTERVAL_MS),
          ),
        );
      }
      return bodies;
    });
  }
}

function shuffle(order: number[]): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
}

function makeSeries(shape: Shape, i: number, generation: number): Series {
  const kind = i % 10;
  const host = Math.floor(i / 10);
  const instance = `10.${(host >> 8) & 255}.${host & 255}.7:9100`;
  const pod = `api-${(Math.imul(i + generation * 7919, 2654435761) >>> 0).toString(16)}-x${i % 97}`;
  const labels: [string, string][] = [['__name__', NAMES[kind] ?? '']];
  if (shape.labels === 'narrow') labels.push(['i', `h${host}`], ['k', String(generation)]);
  else {
    labels.push(
      ['cluster', 'eu-west-1'],
      ['instance', instance],
      ['job', 'node'],
      ['mode', ['user', 'system', 'idle', 'iowait'][host % 4] ?? ''],
      ['pod', pod],
    );
    if (shape.labels === 'wide')
      for (let k = 0; k < 14; k++)
        labels.push([`zone_of_label_${String.fromCharCode(97 + k)}`, `a-value-of-some-length-${(host * 31 + k * 7) % 1000}`]);
  }
  const turn = Math.floor(i / Math.ceil(shape.series / shape.senders)) % labels.length;
  const ordered = [...labels.slice(turn), ...labels.slice(0, turn)];
  return { kind, labels: ordered, encoded: Buffer.concat(ordered.map(labelField)), value: random() * 1000, step: random() * 50 };
}

/** The shapes of a scraped fleet: counters, integers, decimals, flags. */
function advance(one: Series): void {
  const { kind } = one;
  if (kind === 0 || kind === 8) one.value += Math.round(random() * 1500) / 100;
  else if (kind <= 3) one.value += Math.round(random() * one.step);
  else if (kind === 9) one.value = 1;
  else if (kind === 6) one.value = 50 + Math.round(random() * 20);
  else if (random() < 0.4) one.value += Math.round((random() - 0.5) * 100) * 4096;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

const field = (tag: number, body: Uint8Array): Buffer => Buffer.concat([Buffer.from([tag]), varint(body.length), body]);
const labelField = ([name, value]: readonly [string, string]): Buffer =>
  field(0x0a, Buffer.concat([field(0x0a, Buffer.from(name)), field(0x12, Buffer.from(value))]));

/** Value and time of a sample, the same in both versions. */
function sampleOf(one: Series, time: Buffer): Buffer {
  const sample = Buffer.allocUnsafe(10);
  sample[0] = 0x09;
  sample.writeDoubleLE(one.value, 1);
  sample[9] = 0x10;
  return field(0x12, Buffer.concat([sample, time]));
}

function firstVersion(part: readonly Series[], atMs: number): Buffer {
  const time = varint(atMs);
  return Buffer.concat(part.map((one) => field(0x0a, Buffer.concat([one.encoded, sampleOf(one, time)]))));
}

function secondVersion(part: readonly Series[], atMs: number): Buffer {
  const time = varint(atMs);
  const symbols = new Map<string, number>([['', 0]]);
  const symbolOf = (text: string): number => {
    const known = symbols.get(text);
    if (known !== undefined) return known;
    symbols.set(text, symbols.size);
    return symbols.size - 1;
  };
  const series = part.map((one) => {
    const refs = Buffer.concat(one.labels.flatMap(([name, value]) => [varint(symbolOf(name)), varint(symbolOf(value))]));
    return field(0x2a, Buffer.concat([field(0x0a, refs), sampleOf(one, time)]));
  });
  return Buffer.concat([...[...symbols.keys()].map((text) => field(0x22, Buffer.from(text))), ...series]);
}
