import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DAY_MS, epochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import { partOf, textsOf } from './artefacts.ts';
import { badgeSvg } from './badge.ts';
import { contrast, inkOn } from './colours.ts';
import { type Announcement, statusPageSchema } from './contract.ts';
import type { Sight } from './evaluate.ts';
import { calendarOf } from './feeds.ts';
import { styleOf } from './style.ts';

const NOW = 1_760_000_000_000;
const HOSTILE = `<script>alert(1)</script> "quoted" 'single' & ]]> \u0000\u0007\u001b \ud800 \u{1f600}, ; \\ end`;

function sightWith(text: string): Sight {
  const update = {
    id: '01a1ffa0-3402-7071-b6a4-6640ea084c76',
    state: 'identified',
    text,
    atMs: NOW,
    recordedAtMs: NOW,
    by: 'ann',
  } as const;
  const one: Announcement = {
    id: '01a1ffa0',
    title: text,
    pages: ['p'],
    services: ['shop'],
    updates: [update],
    withdrawnAtMs: null,
    withdrawnBy: null,
  };
  const history = { days: [], recent: [], windowMs: DAY_MS, uptime: 0.99987, bounds: null };
  const service = {
    id: 'shop',
    name: text,
    description: text,
    state: 'up',
    seen: 'up',
    sinceMs: NOW,
    history,
    announcements: [one],
  } as const;
  const work = {
    window: 'w',
    name: text,
    services: ['shop'],
    fromMs: epochMs(NOW),
    toMs: epochMs(NOW + DAY_MS),
    plannedFromMs: epochMs(NOW),
    announcedAtMs: epochMs(NOW),
  };
  return { atMs: NOW, state: 'up', groups: [{ name: text, services: [service] }], open: [one], past: [], maintenance: [work] };
}

/** Also with titles that the configuration would refuse. */
const pageCalled = (title: string) => ({ ...statusPageSchema.parse({ id: 'p', title: 'x', services: ['shop'] }), title });

/** Whether a text is one XML element with well-formed content: tags that close each other, no bare < or &. */
function assertXml(text: string): void {
  const open: string[] = [];
  const body = text.replace(/^<\?xml[^?]*\?>\s*/, '');
  assert.match(body, /^[\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u, 'only characters that XML knows');
  for (const [, slash, name = '', rest = '', between = ''] of body.matchAll(
    /<(\/?)([a-zA-Z:]+)((?:\s+[a-zA-Z:-]+="[^"<&]*(?:&[a-z#0-9]+;[^"<&]*)*")*\s*\/?)>([^<]*)/g,
  )) {
    if (slash === '/') assert.equal(open.pop(), name);
    else if (!rest.endsWith('/')) open.push(name);
    assert.doesNotMatch(between, /&(?!(?:amp|lt|gt|quot|#39);)/);
  }
  assert.deepEqual(open, []);
  assert.equal(
    body.replace(/<(\/?)([a-zA-Z:]+)((?:\s+[a-zA-Z:-]+="[^"<]*")*\s*\/?)>/g, '').includes('<'),
    false,
    'every < begins an element',
  );
}

describe('feeds, calendar and badges', () => {
  it('stay well-formed whatever people write', () => {
    fc.assert(
      fc.property(fc.oneof(fc.constant(HOSTILE), fc.string({ unit: 'binary' }), fc.string()), (text) => {
        const spec = pageCalled(text);
        const sight = sightWith(text);
        const parts = new Map(sight.groups.flatMap(({ services }) => services.map((one) => [one.id, partOf(one, spec)] as const)));
        const frame = { spec, style: styleOf(spec), path: '/status/p', hasLogo: false };
        const texts = textsOf({ frame, url: 'https://status.example.org', sight, parts });
        for (const { path, text: body } of texts) {
          if (/\.(rss|atom|svg)$/.test(path)) assertXml(body);
          if (path === 'status.json') assert.doesNotThrow(() => JSON.parse(body));
          if (path === '') assert.doesNotMatch(body, /<script/i);
        }
      }),
      { examples: [[HOSTILE]] },
    );
  });

  it('fold long lines of the calendar, which read as they were when put together again', () => {
    const text = `${'ü'.repeat(90)}, und; mehr\\\nneue Zeile \u{1f600}`;
    const ics = calendarOf({ spec: pageCalled('Shop'), url: 'https://status.example.org' }, sightWith(text));
    const lines = ics.split('\r\n');
    assert.ok(lines.every((line) => Buffer.byteLength(line) <= 75));
    assert.ok(!/[^\r]\n/.test(ics), 'every line ends with CRLF');
    const summary =
      ics
        .replaceAll('\r\n ', '')
        .split('\r\n')
        .find((line) => line.startsWith('SUMMARY:')) ?? '';
    const read = summary.slice('SUMMARY:Maintenance: '.length).replace(/\\([\\;,n])/g, (_, mark: string) => (mark === 'n' ? '\n' : mark));
    assert.equal(read, text);
    assert.match(ics, /^DTSTART:20251009T085320Z\r$/m);
  });

  it('say on a badge what a reader of screens hears', () => {
    const svg = badgeSvg('Web <shop>', 'down', 'down · 99.1%');
    assert.match(svg, /aria-label="Web &lt;shop&gt;: down · 99\.1%"/);
  });

  it('write on any accent so that it can be read', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffff }), (value) => {
        const colour = `#${value.toString(16).padStart(6, '0')}`;
        assert.ok(contrast(colour, inkOn(colour)) >= 4.5, colour);
      }),
    );
  });
});
