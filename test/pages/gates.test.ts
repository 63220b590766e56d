/** What holds on every page that there is, with data on it: readable by everybody, in both themes and on a phone, and nothing to complain about. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { PAGE_PATHS } from '@nines/server/platform/http/static.ts';
import { type BusyWorld, everyPanel, startBusyWorld } from '../harness/busy-world.ts';
import { HOUSE } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { type Opened, launch, openPage, seriousFaults } from './browser.ts';

let browser: Browser;
let world: BusyWorld;
before(async () => {
  browser = await launch();
  world = await startBusyWorld();
});
after(async () => {
  await browser?.close();
  await world?.[Symbol.asyncDispose]();
});

/** A page of the administrator that counts what the content security policy refused. */
async function openAsAdministrator(): Promise<Opened> {
  const opened = await openPage(browser, world.nines.base);
  const context = opened.page.context();
  const at = world.cookie.indexOf('=');
  await context.addCookies([{ name: world.cookie.slice(0, at), value: world.cookie.slice(at + 1), url: world.nines.base }]);
  await context.addInitScript(`addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
    console.error('refused by the policy: ' + violatedDirective + ' ' + blockedURI))`);
  return opened;
}

/** Objects whose address has an id. One whose pattern is not here fails, so that a new page gets one. */
const idsOf = ({ ids }: BusyWorld): Readonly<Record<string, string>> => ({
  '/services/:id': 'shop',
  '/slas/:id': 'shop-availability',
  '/statements/:id': ids.statement,
  '/checks/:id': 'shop-http',
  '/dashboards/:id': 'every-kind',
  '/incidents/:id': ids.incident,
});

/** Every page, and the views of pages that show more than their first one. */
function addresses(): readonly string[] {
  const ids = idsOf(world);
  const plain = PAGE_PATHS.map((pattern) => {
    const [whole = '', kind = ''] = /^(.*?\/:id)/.exec(pattern) ?? [];
    assert.ok(whole === '' || kind in ids, `${pattern} needs an id of the world in this test`);
    return pattern.replace(':id', ids[kind] ?? '');
  });
  return [
    ...plain,
    `/alerts-dashboard?alert=${world.ids.alert}`,
    '/alerts-dashboard?view=statistics',
    '/dashboards/technical',
    '/status/public',
  ];
}

/** Heading and content stand, and nothing says any more that it is being read. */
async function settle(page: Page): Promise<void> {
  await page.locator('h1, main p').first().waitFor();
  await page.locator('.loading').first().waitFor({ state: 'detached' });
}

const tooWide = `(() => {
  const beyond = document.documentElement.scrollWidth - innerWidth;
  if (beyond <= 0) return [];
  const wide = [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1);
  return [beyond + ' pixels too wide: ' + wide.slice(-4).map((one) => one.tagName + '.' + one.className).join(', ')];
})()`;

/** What another theme and another width may break; the rest of axe's rules looked at the same elements before. */
const OF_COLOURS = ['color-contrast', 'link-in-text-block'];
const OF_LAYOUT = [
  'scrollable-region-focusable',
  'aria-hidden-focus',
  'button-name',
  'link-name',
  'label',
  'nested-interactive',
  'listitem',
];

test('no page has a serious fault of accessibility, an error or a refused resource in light or dark, nor is one wider than a phone', async () => {
  const { page, complaints } = await openAsAdministrator();
  const faults: string[] = [];
  for (const path of addresses()) {
    const note = (view: string, found: readonly string[]): void => void faults.push(...found.map((one) => `${path} (${view}): ${one}`));
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goto(path);
    await settle(page);
    note('light', await seriousFaults(page));
    await page.emulateMedia({ colorScheme: 'dark' });
    note('dark', await seriousFaults(page, OF_COLOURS));
    await page.setViewportSize({ width: 390, height: 844 });
    await settle(page);
    note('phone', await seriousFaults(page, OF_LAYOUT));
    note('phone', (await page.evaluate(tooWide)) as string[]);
    note('console', complaints.splice(0));
  }
  assert.deepEqual(faults, []);
  await page.context().close();
});

type Listed = { readonly items: readonly Readonly<Record<string, unknown>>[] };
const text = (one: Readonly<Record<string, unknown>>, name: string): string => String(one[name]);
/** Where each object of a list stands once on its page, and what it is known by there. */
const LISTS: readonly (readonly [path: string, asked: string, wordOf: (one: Readonly<Record<string, unknown>>) => string])[] = [
  ['/services', '/api/services', (one) => text(one, 'name')],
  ['/checks', '/api/checks', (one) => text(one, 'name')],
  ['/slas', '/api/slas', (one) => text(one, 'name')],
  ['/incidents', '/api/incidents', (one) => `INC-${text(one, 'number')} `],
  ['/targets', '/api/targets', (one) => new URL(text(one, 'url')).host],
  ['/dashboards', '/api/dashboards', (one) => text(one, 'title')],
  ['/settings/tokens', '/api/tokens', (one) => text(one, 'name')],
];

test('lists have exactly the rows that the API has', async () => {
  const { page } = await openAsAdministrator();
  for (const [path, asked, wordOf] of LISTS) {
    await page.goto(path);
    await settle(page);
    const rows = page.locator('main table').first().locator('tbody tr:not(.spacer)');
    const unlike = async (): Promise<string> => {
      const words = (await world.get<Listed>(asked)).items.map(wordOf);
      const found = await rows.allInnerTexts();
      const missing = words.filter((word) => found.filter((row) => row.includes(word)).length === 0);
      return found.length === words.length && missing.length === 0
        ? ''
        : `${path}: ${found.length} rows for ${words.length}, without ${missing.join()}`;
    };
    // What comes meanwhile reaches the page by itself.
    await poll(`${path} to have the rows of ${asked}`, async () => (await unlike()) === '').catch(async (thrown: unknown) => {
      throw new Error(await unlike(), { cause: thrown });
    });
  }
  await page.goto('/alerts-dashboard');
  await settle(page);
  const open = async (): Promise<number> => (await world.get<Listed>('/api/alerts')).items.length;
  await poll('the inbox to have the open alerts', async () => (await page.locator('.inbox-row').count()) === (await open()));
  // Reading the log is recorded in it, so that only what was done is compared.
  await page.goto('/settings/audit');
  await settle(page);
  const { items } = await world.get<Listed>('/api/audit');
  const done = items.map((one) => text(one, 'action')).filter((action) => !action.startsWith('GET '));
  const written = await page.locator('main table').first().innerText();
  assert.deepEqual([done.length > 10, done.filter((action) => !written.includes(action))], [true, []]);
  await page.context().close();
});

test('parts that are loaded when they are needed stay within their budgets', () => {
  const folder = join(HOUSE, 'dist/web/assets');
  const packed = (file: string): number => gzipSync(readFileSync(join(folder, file))).length;
  const files = readdirSync(folder).filter((file) => /\.(?:js|css)$/.test(file));
  const editor = files.filter((file) => file.startsWith('promql-editor-') && file.endsWith('.js'));
  assert.ok(editor.length > 0, files.join());
  // The builder may give the name that pages ask for a file of its own.
  const editing = editor.reduce((sum, file) => sum + packed(file), 0);
  assert.ok(editing <= 160 * 1024, `${editing} bytes of ${editor.join()}`);
  const style = files.filter((file) => file.endsWith('.css')).reduce((sum, file) => sum + packed(file), 0);
  assert.ok(style <= 45 * 1024, `${style} bytes of style in all`);
});

type Picture = { readonly width: number; readonly marks: number; readonly images: number; readonly fault: string };
type Pixels = { readonly width: number; readonly colours: number };

/** Read by the browser itself: what does not parse has a fault. */
const svgOf = (page: Page, text: string): Promise<Picture> =>
  page.evaluate((source) => {
    const svg = new DOMParser().parseFromString(source, 'image/svg+xml');
    return {
      width: Number(svg.documentElement.getAttribute('width')),
      marks: svg.querySelectorAll('text, path, circle').length,
      images: svg.querySelectorAll('image, foreignObject').length,
      fault: svg.querySelector('parsererror')?.textContent ?? '',
    };
  }, text);
const pngOf = (page: Page, bytes: Buffer): Promise<Pixels> =>
  page.evaluate(async (base64) => {
    const raw = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([raw], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d');
    context?.drawImage(image, 0, 0);
    const pixels = new Uint32Array(context?.getImageData(0, 0, image.width, image.height).data.buffer ?? new ArrayBuffer(0));
    return { width: image.width, colours: new Set(pixels).size };
  }, bytes.toString('base64'));

/** Fields of a CSV as RFC 4180 has them. */
const csvRows = (text: string): readonly (readonly string[])[] =>
  text
    .split('\r\n')
    .slice(0, -1)
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? ''),
    );

test('panels of every kind and source are saved from their menu: rows as the API has them, none a formula, pictures sharp and without an embedded one', async () => {
  const panels = everyPanel({ queries: [{ expr: 'shop_queue_length', legend: '=cmd {{queue}}' }] });
  const layout = { kind: 'two_columns', sections: [{ title: '', panels: Object.keys(panels) }] };
  const made = await world.send('POST', '/api/dashboards', { id: 'saved-kinds', title: 'Saved kinds', panels, layout, range: '5m' });
  assert.equal(made.status, 201, made.text);
  for (const query of ['count_over_time(shop_queue_length[5m]) > 4', 'sla_attained_ratio offset 2s'])
    await poll(`figures of ${query}`, async () => {
      const { data } = await world.get<Matrix>(`/api/v1/query?${new URLSearchParams({ query })}`);
      return data.result.length > 0;
    });
  const { page, complaints } = await openAsAdministrator();
  const toMs = Date.now();
  await page.goto(`/dashboards/saved-kinds?from=${toMs - 300_000}&to=${toMs}`);
  await page.locator('[data-panel]').last().waitFor();
  const save = async (title: string, form: string): Promise<Buffer> => {
    await page.getByRole('button', { name: `More of ${title}`, exact: true }).click();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: `Save as ${form}` }).click()]);
    return readFileSync(await download.path());
  };
  const seen = new Set<unknown>();
  for (const [id, { kind, title }] of Object.entries(panels)) {
    const name = String(title);
    await page.locator(`[data-panel="${id}"]`).scrollIntoViewIfNeeded();
    await page.locator(`[data-panel="${id}"]`).getByText('Reading …').waitFor({ state: 'detached' });
    const csv = (await save(name, 'CSV')).toString();
    const rows = csvRows(csv);
    assert.ok(rows.length > 1 && rows.every((row) => row.length === rows[0]?.length), `${id}: ${csv.slice(0, 300)}`);
    assert.doesNotMatch(csv, /(?:^|,)"?=/m, id);
    // What a kind draws of another source differs in its rows alone.
    if (seen.has(kind)) continue;
    seen.add(kind);
    const json = JSON.parse((await save(name, 'JSON')).toString()) as readonly unknown[];
    assert.equal(json.length, rows.length - 1, id);
    if (kind === 'custom') {
      await page.getByRole('button', { name: `More of ${name}`, exact: true }).click();
      await page.getByRole('menuitem', { name: 'No picture' }).waitFor();
      await page.keyboard.press('Escape');
      continue;
    }
    const svg = await svgOf(page, (await save(name, 'SVG')).toString());
    assert.deepEqual([svg.fault, svg.images, svg.marks > 1], ['', 0, true], `${id}: ${JSON.stringify(svg)}`);
    const png = await pngOf(page, await save(name, 'PNG'));
    assert.ok(png.width === 2 * svg.width && png.colours > 2, `${id}: ${JSON.stringify({ png, svg })}`);
    if (id === 'line-promql') await sameAsAsked(rows);
  }
  assert.deepEqual(complaints, []);
  await page.context().close();
});

type Matrix = {
  readonly data: { readonly result: readonly { readonly metric: Record<string, string>; readonly values: readonly [number, string][] }[] };
};

/** The instants, series and values of a saved line chart are those of the query API. */
async function sameAsAsked(rows: readonly (readonly string[])[]): Promise<void> {
  const times = rows.slice(1).map(([at]) => Date.parse(at ?? '') / 1000);
  const [start, end] = [Math.min(...times), Math.max(...times)];
  const asked = new URLSearchParams({ query: 'shop_queue_length', start: `${start}`, end: `${end}`, step: '1' });
  const { data } = await world.get<Matrix>(`/api/v1/query_range?${asked}`);
  const told = data.result.flatMap(({ metric, values }) =>
    values.map(([at, value]) => [new Date(at * 1000).toISOString(), `'=cmd ${metric['queue'] ?? ''}`, value].join()),
  );
  assert.deepEqual(
    rows
      .slice(1)
      .map((row) => row.join())
      .sort(),
    told.sort(),
  );
}
