import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChannelField } from '../api/channels.ts';
import { declarationOf, isNeeded, valuesOf } from './draft.ts';

const field = (path: string, type: ChannelField['type'], required = false): ChannelField => ({
  path,
  type,
  required,
  default: null,
  choices: [],
  min: null,
  max: null,
  common: false,
});
const FIELDS = [
  field('http.url', 'text', true),
  field('http.headers', 'pairs'),
  field('http.reply_token', 'secret'),
  field('to', 'list', true),
  field('max_parts', 'number'),
  field('replies', 'switch'),
];
const WRITTEN = {
  id: 'sms',
  kind: 'sms',
  http: { url: 'https://sms.example/', headers: { 'x-key': '[redacted]' }, reply_token: '[redacted]' },
  to: ['+4930111', '+4930112'],
  max_parts: 2,
  replies: true,
};

test('a channel is shown in a form and written from it as it was', () => {
  assert.deepEqual(declarationOf(WRITTEN, FIELDS, valuesOf(FIELDS, WRITTEN)), WRITTEN);
});

test('what nobody wrote is left out, with the object that it would stand in', () => {
  assert.deepEqual(declarationOf(WRITTEN, FIELDS, { to: '+4930111, +4930112\n' }), {
    id: 'sms',
    kind: 'sms',
    to: ['+4930111', '+4930112'],
  });
  assert.deepEqual(declarationOf(WRITTEN, FIELDS, { to: ' ', max_parts: 'two', 'http.headers': 'a:b:c\nd' }), {
    id: 'sms',
    kind: 'sms',
    http: { headers: { a: 'b:c', d: '' } },
    max_parts: 'two',
  });
});

test('a field of an object that may be left out is needed when something of it is written', () => {
  const [url] = FIELDS;
  assert.ok(url !== undefined);
  assert.equal(isNeeded(url, FIELDS, {}), false);
  assert.equal(isNeeded(url, FIELDS, { 'http.reply_token': 'x' }), true);
  assert.equal(isNeeded(field('to', 'list', true), FIELDS, {}), true);
});
