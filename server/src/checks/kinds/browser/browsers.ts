import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import { MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import type { Browser } from 'playwright-core';
import type { BrowserSettings } from './config.ts';

/** Where distributions put it. */
const USUAL_PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable'];

const LAUNCH_TIMEOUT_MS = 30 * SECOND_MS;
/** A browser that nobody used for this long is ended: it holds more memory than the whole server. */
const IDLE_MS = 2 * MINUTE_MS;
/** Journeys after which a browser is replaced, as soon as none is under way: what it leaks goes with it. */
const JOURNEYS_PER_BROWSER = 200;
/** Journeys that may wait for their turn. */
const MAX_WAITING = 100;

const ARGS = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-dev-shm-usage',
  '--disable-gpu',
  '--disable-quic',
  '--disable-sync',
  '--dns-prefetch-disable',
  '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
  // Nothing is looked up but by the gate of each journey.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  '--js-flags=--max-old-space-size=256',
  '--no-first-run',
  '--renderer-process-limit=4',
];

/** A turn with the browser; give it back by disposing. */
export type Lease = Disposable & { readonly browser: Browser };

/** Why there is no browser to be had, in words. Nothing of it is the site's fault. */
export class NoBrowser extends Error {
  override readonly name = 'NoBrowser';
}

/** One browser process for all journeys, started when the first one comes and ended when none has come for a while. */
export class Browsers implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #settings: BrowserSettings;
  #browser: Promise<Browser> | undefined;
  #served = 0;
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  #idle: Disposable | undefined;

  constructor(settings: BrowserSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** Waits for a turn. Rejects with `NoBrowser`, or with the signal's reason. */
  async lease(signal: AbortSignal): Promise<Lease> {
    await this.#turn(signal);
    try {
      signal.throwIfAborted();
      this.#idle?.[Symbol.dispose]();
      const browser = await this.#ready();
      this.#served++;
      return { browser, [Symbol.dispose]: () => this.#release() };
    } catch (thrown) {
      this.#release();
      throw thrown;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#idle?.[Symbol.dispose]();
    await this.#end();
  }

  async #turn(signal: AbortSignal): Promise<void> {
    if (this.#running < this.#settings.concurrency) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= MAX_WAITING) throw new NoBrowser(`${MAX_WAITING} journeys wait already`);
    await new Promise<void>((resolve, reject) => {
      const go = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(go), 1);
        reject(signal.reason as Error);
      };
      this.#waiting.push(go);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) return next();
    this.#running--;
    if (this.#running > 0) return;
    if (this.#served >= JOURNEYS_PER_BROWSER) void this.#end();
    else this.#idle = this.#clock.after(IDLE_MS, () => void this.#end());
  }

  async #ready(): Promise<Browser> {
    const standing = await this.#browser;
    if (standing?.isConnected() === true) return standing;
    this.#served = 0;
    const starting = this.#launch();
    this.#browser = starting;
    try {
      return await starting;
    } catch (thrown) {
      if (this.#browser === starting) this.#browser = undefined;
      throw thrown;
    }
  }

  async #launch(): Promise<Browser> {
    const executablePath = this.#settings.executable ?? USUAL_PLACES.find((path) => existsSync(path));
    if (executablePath === undefined || !existsSync(executablePath)) {
      const where = executablePath ?? USUAL_PLACES.join(', ');
      throw new NoBrowser(`there is no Chromium at ${where}; install it, or say where it is in checks.browser.executable`);
    }
    const playwright = await import('playwright-core').catch(() => {
      throw new NoBrowser('the package playwright-core is not installed; it is an optional dependency of the server');
    });
    try {
      return await playwright.chromium.launch({
        executablePath,
        args: ARGS,
        chromiumSandbox: this.#settings.sandbox,
        env: { HOME: tmpdir(), PATH: '/usr/bin:/bin' },
        timeout: LAUNCH_TIMEOUT_MS,
        handleSIGHUP: false,
        handleSIGINT: false,
        handleSIGTERM: false,
      });
    } catch (thrown) {
      throw new NoBrowser(whyNotStarted(messageOf(thrown)));
    }
  }

  async #end(): Promise<void> {
    const standing = this.#browser;
    this.#browser = undefined;
    // One that did not start, or is gone already, has ended.
    await standing?.then((browser) => browser.close()).catch(() => {});
  }
}

/** The one line of a browser's farewell that says why. */
function whyNotStarted(message: string): string {
  if (/without --no-sandbox|No usable sandbox|SUID sandbox/.test(message)) {
    return 'Chromium cannot use its sandbox here (as root it never can); run Nines as another user, or set checks.browser.sandbox: false';
  }
  const lines = message.split('\n').map((line) => line.trim());
  return `Chromium did not start: ${(lines.find((line) => /error|fatal|denied/i.test(line)) ?? lines[0] ?? '').slice(0, 300)}`;
}
