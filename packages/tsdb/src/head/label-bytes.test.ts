import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelsFrom } from '@nines/model/labels.ts';
import { encodeLabels as encodeFields } from '@nines/model/write-batch.ts';
import fc from 'fast-check';
import { decodeLabels, encodeLabels, parseLabels } from './label-bytes.ts';

const text = fc.oneof(fc.string({ minLength: 1 }), fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }));

test('a label set comes back from its canonical bytes, and from protobuf fields', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 20 }), (pairs) => {
      const labels = labelsFrom([...pairs, ['__name__', 'm']]);
      assert.deepEqual(decodeLabels(encodeLabels(labels)), labels);
      const fields = encodeFields(labels);
      const parsed = parseLabels(fields, 0, fields.length);
      assert.deepEqual(parsed.ok ? parsed.value : parsed.error, labels);
    }),
  );
});
