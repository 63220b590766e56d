/**
 * Photographs the product: `npm run screenshots [-- NAME…]` starts it with a month of a web shop, opens the views in Chromium and
 * writes `docs/screenshots/NAME.png`. The README and the guide show these files.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launch } from '../test/pages/browser.ts';
import { openShop } from './screenshots/shop.ts';
import { VIEWS, photograph } from './screenshots/views.ts';

const FOLDER = join(import.meta.dirname, '../docs/screenshots');

const names = process.argv.slice(2);
const unknown = names.filter((name) => VIEWS.every((view) => view.name !== name));
if (unknown.length > 0) {
  process.stderr.write(`no such view: ${unknown.join(', ')}; there are ${VIEWS.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}
mkdirSync(FOLDER, { recursive: true });
const nowMs = Date.now();
await using shop = await openShop(nowMs);
const browser = await launch();
try {
  for (const view of VIEWS) {
    if (names.length > 0 && !names.includes(view.name)) continue;
    try {
      await photograph({ browser, shop, folder: FOLDER }, view);
      process.stdout.write(`docs/screenshots/${view.name}.png\n`);
    } catch (thrown) {
      process.exitCode = 1;
      process.stderr.write(`${view.name}: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
    }
  }
} finally {
  await browser.close();
}
