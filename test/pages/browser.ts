/** A real Chromium without egress, and pages that keep what the browser complained about. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { type Browser, type Page, chromium } from 'playwright-core';

/** Debian's; `npm test` installs it where it may. */
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
/** As root and in a container Chromium runs without its own sandbox, and it must not call home. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: CHROMIUM, args: ARGS });

/** Longest wait for anything on a page. No promise of the product: those stand in the tests. A busy machine starts a page in many seconds. */
const PATIENCE_MS = 60_000;

export type Opened = {
  readonly page: Page;
  /** Errors of the console and of scripts, refusals of the content security policy among them. */
  readonly complaints: string[];
};

export type View = { readonly theme?: 'light' | 'dark'; readonly width?: number };

/** A page of its own, with nothing remembered from others. */
export async function openPage(browser: Browser, base: string, { theme = 'light', width = 1280 }: View = {}): Promise<Opened> {
  const context = await browser.newContext({
    baseURL: base,
    colorScheme: theme,
    viewport: { width, height: 900 },
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${message.text()} (${message.location().url})`);
  });
  return { page, complaints };
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe calls serious or critical on the page as it stands, one line each; of all its rules or of those named. */
export async function seriousFaults(page: Page, rules: readonly string[] = []): Promise<readonly string[]> {
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(AXE);
  const options = { resultTypes: ['violations'], ...(rules.length > 0 && { runOnly: { type: 'rule', values: rules } }) };
  const { violations } = await page.evaluate<Pick<AxeResults, 'violations'>>(
    `axe.run(document, ${JSON.stringify(options)}).then(({ violations }) => ({ violations }))`,
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`);
}
