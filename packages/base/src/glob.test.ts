import assert from 'node:assert/strict';
import { test } from 'node:test';
import { globPattern } from './glob.ts';
import { compileRegex } from './regex.ts';

test('a glob matches any text at a star, one character at a question mark, and itself elsewhere', () => {
  const f = (glob: string, text: string, want: boolean): void => {
    const made = compileRegex(globPattern(glob));
    assert.equal(made.ok && made.value.matchesWhole(text), want, `${glob} on ${text}`);
  };
  f('system.*', 'system.cpu.percent', true);
  f('system.*', 'systemd', false);
  f('node_load?', 'node_load5', true);
  f('node_load?', 'node_load15', false);
  f('a+(b)[c]{d}^|$\\', 'a+(b)[c]{d}^|$\\', true);
  f('a|b', 'a', false);
});
