import { parseDuration } from '@nines/base/duration.ts';
import { lengthText } from './length.ts';

/** A length of time in the configuration's syntax, standing alone as a word: `36s`, `1m26s400ms`. */
const LENGTH = /\b(?:\d+(?:ms|[ywdhms]))+\b/g;

/** A sentence of the server in which lengths such as `1m26s400ms` read as on the rest of the page: `1 min 26 s`. */
export function readableLengths(sentence: string): string {
  return sentence.replace(LENGTH, (text) => {
    const parsed = parseDuration(text);
    return parsed.ok ? lengthText(parsed.value) : text;
  });
}
