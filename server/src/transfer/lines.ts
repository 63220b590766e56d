/** Cuts a stream of bytes into lines. Holds one line at most; one that is too long is passed over and handed out as `undefined`. */
export async function* linesOf(stream: AsyncIterable<Uint8Array>, maxLineBytes: number): AsyncGenerator<Buffer | undefined> {
  let begun: Buffer[] = [];
  let length = 0;
  let isTooLong = false;
  const take = (part: Buffer): void => {
    length += part.length;
    if (length > maxLineBytes) isTooLong = true;
    if (isTooLong) begun = [];
    else if (part.length > 0) begun.push(part);
  };
  const end = (): Buffer | undefined => {
    const line = isTooLong ? undefined : begun.length === 1 ? begun[0] : Buffer.concat(begun);
    begun = [];
    length = 0;
    isTooLong = false;
    return line;
  };
  for await (const bytes of stream) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      take(chunk.subarray(from, at));
      from = at + 1;
      yield end();
    }
    take(chunk.subarray(from));
  }
  if (length > 0) yield end();
}
