import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { createIds } from '../platform/ids.ts';
import { widgetBody } from './contract.ts';
import { frameDocument, framePolicy, previewDocument } from './frame.ts';
import { Widgets } from './service.ts';

test('a widget is registered, replaced and removed; one that cannot be read is left out', async (t) => {
  const { db } = await openSqliteForTest(t);
  const clock = manualClock();
  const widgets = new Widgets({
    db,
    clock,
    ids: createIds(clock),
    usedBy: async (id) => (id === 'bars' ? [{ id: 'shop', title: 'Shop' }] : []),
  });
  const body = widgetBody.parse({ name: 'Bars', source: 'nines.draw(() => {})' });
  await widgets.put('bars', body, 'Ann');
  const again = await widgets.put('bars', { ...body, source: 'nines.draw(() => 1)' }, 'Ben');
  assert.deepEqual(
    [again.revision, again.source, (await widgets.list()).map(({ id, name }) => [id, name])],
    [2, 'nines.draw(() => 1)', [['bars', 'Bars']]],
  );
  await widgets.put('bars', { ...body, source: 'nines.draw(() => 1)' }, 'Ann');
  assert.deepEqual(
    (await widgets.history('bars')).map(({ revision, by }) => [revision, by]),
    [
      [2, 'Ben'],
      [1, 'Ann'],
    ],
    'what is the same as before is no new version',
  );
  const first = await widgets.revision('bars', 1);
  assert.deepEqual([first.source, first.by], ['nines.draw(() => {})', 'Ann']);
  await assert.rejects(widgets.revision('bars', 9), { code: 'widget_revision_not_found' });
  assert.deepEqual((await widgets.get('bars')).used_by, [{ id: 'shop', title: 'Shop' }]);
  await widgets.put('other', body, 'Ann');
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
  assert.equal(previewDocument('abc').match(/<script nonce="abc">/g)?.length, 1, 'a script that is handed over stands in no document');
});
