import { CorruptData } from '../contract.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';

/** Times of a page: count, first, then second differences, all varints. A regular scrape is a run of zeros for zstd. */
export function writeTimes(writer: ByteWriter, times: Float64Array, length: number): void {
  writer.varint(length);
  writer.zigzag(times[0] ?? 0);
  let delta = 0;
  for (let i = 1; i < length; i++) {
    const next = (times[i] ?? 0) - (times[i - 1] ?? 0);
    writer.zigzag(next - delta);
    delta = next;
  }
}

/** At most `maxCount` strictly ascending times; anything else is corrupt. */
export function readTimes(reader: ByteReader, maxCount: number): Float64Array {
  const count = reader.varint();
  if (count === 0 || count > maxCount || count > reader.left) throw new CorruptData(`a time column of ${count}`);
  const times = new Float64Array(count);
  let time = reader.zigzag();
  let delta = 0;
  times[0] = time;
  for (let i = 1; i < count; i++) {
    delta += reader.zigzag();
    if (delta <= 0) throw new CorruptData('times that do not ascend');
    time += delta;
    times[i] = time;
  }
  return times;
}
