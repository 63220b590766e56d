import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channelKinds } from '@nines/server/notify/made/form.ts';
import { CHOICE_WORDS, KIND_WORDS, fieldWords } from '../../web/src/channels/kind-words.ts';

test('every kind of channel that can be made, every field and every choice has words', () => {
  const nameless = channelKinds().flatMap(({ kind, fields }) => [
    ...(KIND_WORDS[kind] === undefined ? [kind] : []),
    ...fields.filter(({ path }) => fieldWords(kind, path) === undefined).map(({ path }) => `${kind} ${path}`),
    ...fields.flatMap(({ path, choices }) =>
      choices.filter((one) => CHOICE_WORDS[one] === undefined).map((one) => `${kind} ${path} ${one}`),
    ),
  ]);
  assert.deepEqual(nameless, []);
  const kinds = new Set(channelKinds().map(({ kind }) => kind));
  assert.deepEqual(
    Object.keys(KIND_WORDS).filter((kind) => !kinds.has(kind)),
    [],
    'no such kind can be made',
  );
});
