import { gzipSync } from 'node:zlib';

/** A small archive of texts: POSIX ustar (IEEE Std 1003.1, pax, "ustar Interchange Format"), compressed with gzip. */
const BLOCK_BYTES = 512;
const MAX_NAME_BYTES = 100;

export function tarOfTexts(files: ReadonlyMap<string, string>, nowMs: number): Uint8Array {
  const blocks = [...files].flatMap(([name, text]) => {
    const content = Buffer.from(text);
    return [headerOf(name, content.length, nowMs), content, Buffer.alloc(-content.length & (BLOCK_BYTES - 1))];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK_BYTES)]));
}

function headerOf(name: string, bytes: number, nowMs: number): Buffer {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw new Error(`BUG: expected a name of at most ${MAX_NAME_BYTES} bytes, found ${name}`);
  const header = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, chars: number): string => `${Math.floor(value).toString(8).padStart(chars, '0')}\0`;
  header.write(name, 0);
  header.write(octal(0o600, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(bytes, 11), 124);
  header.write(octal(nowMs / 1000, 11), 136);
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  header.write('ustar\0' + '00', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
