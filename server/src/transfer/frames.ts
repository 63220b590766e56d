import { AppError } from '@nines/base/errors.ts';

/**
 * Cuts a stream of bytes into frames: four bytes of length, the lowest first, then so many bytes. Drawn in docs/format/import.md.
 * Throws when a length is over the limit or the stream ends within a frame: from there on nothing can be found.
 */
export async function* framesOf(stream: AsyncIterable<Uint8Array>, maxFrameBytes: number): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let length = 0;
  let needed = 4;
  let inHeader = true;
  for await (const bytes of stream) {
    held.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    length += bytes.byteLength;
    while (length >= needed) {
      const all = held.length === 1 ? (held[0] ?? Buffer.alloc(0)) : Buffer.concat(held);
      const part = all.subarray(0, needed);
      held = [all.subarray(needed)];
      length -= needed;
      if (inHeader) {
        needed = part.readUInt32LE(0);
        if (needed > maxFrameBytes) throw badFrames(`a frame of ${needed} bytes, the limit is ${maxFrameBytes}`);
      } else {
        yield part;
        needed = 4;
      }
      inHeader = !inHeader;
    }
  }
  if (length > 0 || !inHeader) throw badFrames(`the body ends ${needed - length} bytes before the end of its last frame`);
}

const badFrames = (message: string): AppError => new AppError('bad_input', 'malformed_frames', message);
