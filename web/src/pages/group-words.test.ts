import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupWords } from './group-words.ts';

test('a group is told by its alert, then by its other labels, as they are', () => {
  assert.equal(groupWords('{}/{team="a"}:{service="shop \\"west\\"", alertname="HighCpu"}'), 'HighCpu · service shop "west"');
  assert.equal(groupWords('{}:{}'), 'all alerts');
  assert.equal(groupWords('escalation/policy/01a2:{alertname="HighCpu"}'), 'HighCpu');
  assert.equal(groupWords('on-call night anne'), 'on-call night anne');
});
