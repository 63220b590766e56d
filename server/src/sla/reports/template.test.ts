import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { forEachDatabase, openSqliteForTest } from '../../../../test/harness/databases.ts';
import { SlaWorld, at, openWorld } from '../testing/world.ts';
import { reportCsp, reportIn } from './forms.ts';
import { reportTemplateConfig, reportTemplatesConfig, templateDigest } from './template.ts';
import { ReportTemplates } from './templates.ts';

const SLA = { service: 'shop', indicator: { kind: 'availability' }, window: { rolling: '2m' }, id: 'easy', target: '50%' };
const period = { fromMs: at(0), toMs: at(20) };
const ask = { slas: [], services: [], customer: undefined, title: undefined, period, zone: 'UTC' };
const LOGO = `data:image/svg+xml;base64,${Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>').toString('base64')}`;
const HOUSE = {
  id: 'house',
  title: 'Service review until {to}',
  sections: [
    { title: 'Dear customer', text: 'Of {contracts} promises {met} was kept.\n\n<script>alert(1)</script> *stars*' },
    { part: 'services', title: 'How it ran' },
    'contracts',
  ],
  closing: 'Example GmbH',
  logo: LOGO,
  accent: '#1a5fb4',
};

test('a template says words, parts, order, logo and colour of a report; what it says is text, and no figure depends on it', async (t) => {
  const world = await openWorld(t, openSqliteForTest, SLA);
  await world.play('UUUUUUxxUUUUUUUUUUUUUU');
  const report = await world.reports.make(ask);
  const house = reportTemplateConfig.parse(HOUSE);
  const page = reportIn('html', report, house).toString();
  assert.match(page, /<h1>Service review until 2025-10-09<\/h1>/);
  assert.match(page, /<h2>Dear customer<\/h2><p>Of 1 promises 1 was kept\.<\/p><p>&lt;script&gt;alert\(1\)/);
  assert.ok(page.indexOf('How it ran') < page.indexOf('<h2>Contracts') && !page.includes('Budget spent'), page);
  assert.ok(page.includes(`<img src="${LOGO}"`) && page.includes('#1a5fb4') && page.includes(report.signature.value));
  assert.ok(page.includes(`the template house (SHA-256 ${templateDigest(house)})`));
  const markdown = reportIn('md', report, house).toString();
  assert.match(
    markdown,
    /^# Service review until 2025\\-10\\-09\n[^]*## Dear customer\n\nOf 1 promises 1 was kept[^]*\\<script\\>[^]*## How it ran\n\n\| Service[^]*## Contracts\n/,
  );
  assert.ok(markdown.includes(templateDigest(house)));
  for (const form of ['json', 'csv', 'pdf'] as const) assert.deepEqual(reportIn(form, report, house), reportIn(form, report), form);
  assert.notEqual(templateDigest({ ...house, accent: '#1a5fb5' }), templateDigest(house));

  const allowed = reportCsp(house);
  for (const [, style = ''] of page.matchAll(/<style>([^]*?)<\/style>/g))
    assert.ok(allowed.includes(createHash('sha256').update(style).digest('base64')), 'each of its styles is allowed by its hash');
  assert.match(allowed, /default-src 'none'.* img-src data:;/);
  assert.doesNotMatch(reportCsp(undefined), /img-src/);
});

test('a template that makes no sense is refused by name and place', () => {
  for (const [bad, at, message] of [
    [{ title: 'For {custommer}' }, ['title'], /there is no \{custommer\} in a report; write one of .*\{customer\}/],
    [{ sections: ['contracts', 'weather'] }, ['sections', 1], /./],
    [{ sections: [{ part: 'contracts', text: 'both' }] }, ['sections', 0], /either a `part`.* or a `text`/],
    [{ accent: 'red;}body{background:url(//x)' }, ['accent'], /six hexadecimal digits/],
    [{ logo: 'https://example.org/logo.png' }, ['logo'], /as data:image/],
    [{ logo: 'data:image/png;base64,AAAA' }, ['logo'], /no image of type image\/png/],
    [{ html: '<b>' }, [], /html/],
  ] as const) {
    const issue = reportTemplateConfig.safeParse({ id: 'x', ...bad }).error?.issues[0];
    assert.deepEqual(issue?.path, at, JSON.stringify(bad));
    assert.match(issue?.message ?? '', message);
  }
  assert.equal(reportTemplatesConfig.safeParse([{ id: 'x' }, { id: 'x' }]).success, false);
});

forEachDatabase((_name, open) => {
  test('templates made through the API outlive a restart; those of the file are the file’s', async (t) => {
    const { db, openAgain } = await open(t);
    const { clock } = new SlaWorld(db);
    const templates = new ReportTemplates({ db: db.kysely, clock });
    await templates.save(reportTemplateConfig.parse({ id: 'ours' }), 'ann');
    await templates.save(reportTemplateConfig.parse({ id: 'ours', closing: 'again' }), 'bob');
    await templates.save(reportTemplateConfig.parse(HOUSE), 'ann');
    await templates.remove('house');
    const again = new ReportTemplates({ db: (await openAgain()).kysely, clock });
    await again.load();
    again.declare([reportTemplateConfig.parse({ id: 'filed' })]);
    assert.deepEqual(
      again.list().map(({ id, closing, origin }) => [id, closing, origin]),
      [
        ['filed', '', 'file'],
        ['ours', 'again', 'ui'],
      ],
    );
    await assert.rejects(again.save(reportTemplateConfig.parse({ id: 'filed' }), 'ann'), { code: 'report_template_owned_by_file' });
    await assert.rejects(again.remove('house'), { code: 'report_template_not_found' });
    assert.throws(() => again.get('house'), { code: 'report_template_not_found' });
  });
});
