import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeHtml, html } from './html.ts';

test('nothing that comes from outside reaches a page unescaped', () => {
  assert.equal(
    html`<p title="${'"x"'}">${['<b>', html`<i>${"it's"}</i>`]}${undefined}</p>`.markup,
    '<p title="&quot;x&quot;">&lt;b&gt;<i>it&#39;s</i></p>',
  );
  assert.equal(escapeHtml('&<>"\''), '&amp;&lt;&gt;&quot;&#39;');
});
