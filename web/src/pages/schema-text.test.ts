import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundsText, schemaText } from './schema-text.ts';

test('a schema reads like a type, with its bounds behind the fields', () => {
  const schema = {
    type: 'object',
    required: ['name', 'teams'],
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 100 },
      teams: { type: 'array', items: { type: 'string' } },
      at: { anyOf: [{ type: 'integer', minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }, { type: 'null' }] },
      kind: { enum: ['a', 'b'], default: 'a' },
      inner: { type: 'object', properties: { x: { type: 'number', exclusiveMinimum: 0 } }, additionalProperties: false },
      labels: { type: 'object', additionalProperties: { type: 'string' } },
      list: { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'number' }] } },
    },
  };
  assert.equal(
    schemaText(schema),
    [
      '{',
      '  name: string  // 1 to 100 characters',
      '  teams: string[]',
      '  at?: integer | null',
      '  kind?: "a" | "b"  // default "a"',
      '  inner?: {',
      '    x?: number  // above 0',
      '  }',
      '  labels?: {',
      '    [name]: string',
      '  }',
      '  list?: (string | number)[]',
      '}',
    ].join('\n'),
  );
  assert.equal(boundsText({ type: 'integer', minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }), '');
});

test('a schema that holds itself ends', () => {
  const node = { type: 'object', properties: { next: { $ref: '#/$defs/node' } } };
  assert.equal(schemaText({ $ref: '#/$defs/node', $defs: { node } }), '{\n  next?: node\n}');
  assert.equal(schemaText({}), 'any');
});
