import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { createIds } from '../platform/ids.ts';
import { widgetBody } from './contract.ts';
import { frameDocument, framePolicy } from './frame.ts';
import { Widgets } from './service.ts';

test('a widget is registered, replaced and removed; one that cannot be read is left out', async (t) => {
  const { db } = await openSqliteForTest(t);
  const clock = manualClock();
  const widgets = new Widgets({ db, clock, ids: createIds(clock) });
  const body = widgetBody.parse({ name: 'Bars', source: 'nines.draw(() => {})' });
  await widgets.put('bars', body);
  const again = await widgets.put('bars', { ...body, source: 'nines.draw(() => 1)' });
  assert.deepEqual(
    [again.revision, again.source, (await widgets.list()).map(({ id, name }) => [id, name])],
    [2, 'nines.draw(() => 1)', [['bars', 'Bars']]],
  );
  await widgets.put('other', body);
  await db.kysely.updateTable('entities').set({ spec: '{"later":true}' }).where('slug', '=', 'other').execute();
  assert.deepEqual(
    (await widgets.list()).map(({ id }) => id),
    ['bars'],
  );
  await widgets.remove('bars');
  await assert.rejects(widgets.get('bars'), { code: 'widget_not_found' });
});

test('a script that would end the script it stands in is refused, and the frame permits nothing but the script', () => {
  for (const source of ['"</script><script>alert(1)"', '"</SCRIPT >"', '/* <!-- */'])
    assert.equal(widgetBody.safeParse({ name: 'x', source }).success, false, source);
  const policy = framePolicy('abc');
  assert.match(policy, /^sandbox allow-scripts; default-src 'none'; script-src 'nonce-abc';/);
  assert.doesNotMatch(policy, /allow-same-origin|connect-src|unsafe-eval/);
  assert.equal(frameDocument('one()', 'abc').match(/<script nonce="abc">/g)?.length, 2);
});
