import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import { formatDuration } from '@nines/base/duration.ts';
import type { Page } from 'playwright-core';
import type { Outcome } from '../../contract.ts';
import { down, matchesPart } from '../../evaluate.ts';
import { type Gate, hostOf } from './gate.ts';
import type { WrittenStep } from './spec.ts';

/** How often a title is looked at again. */
const LOOK_AGAIN_MS = 50;
/** Characters of a selector or an address that a message shows. */
const MAX_SHOWN_CHARS = 200;

/** A step did not end as it should. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
  readonly outcome: Outcome;
  constructor(outcome: Outcome) {
    super('a step failed');
    this.outcome = outcome;
  }
}

/** What a step is called: its own name, or what it does. */
export function nameOf(step: WrittenStep): string {
  if (step.name !== undefined) return step.name;
  const said =
    (step.open && `open ${step.open}`) ??
    (step.click && `click ${step.click}`) ??
    (step.fill && `fill ${step.fill.selector}`) ??
    (step.press && `press ${step.press.key}`) ??
    (step.wait_for && `wait for ${step.wait_for.selector}`) ??
    (step.expect_text && `expect text "${step.expect_text.contains}"`) ??
    (step.expect_selector && `expect ${step.expect_selector}`) ??
    (step.expect_url && `expect url ${step.expect_url}`) ??
    `expect title ${step.expect_title ?? ''}`;
  return said.slice(0, MAX_SHOWN_CHARS);
}

/** What a step needs beside its page. */
export type StepContext = {
  readonly page: Page;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** The address that the page went to last, redirects included; '' before the first. */
  readonly lastAsked: () => string;
};

/** Does one step. Rejects with `StepFailed`, or with whatever ended the browser. */
export async function takeStep(step: WrittenStep, context: StepContext): Promise<void> {
  const { timeoutMs } = context;
  try {
    if (step.open !== undefined) await open(step.open, context);
    else await act(step, context);
  } catch (thrown) {
    if (!isPlaywrights(thrown)) throw thrown;
    const [line = ''] = messageOf(thrown).split('\n');
    if (thrown.name !== 'TimeoutError') throw new StepFailed(down('step', line.slice(0, MAX_SHOWN_CHARS)));
    const expects = step.open === undefined && step.click === undefined && step.fill === undefined && step.press === undefined;
    const length = formatDuration(Math.round(timeoutMs));
    if (expects) throw new StepFailed(down('expectation', `not seen within ${length}`));
    throw new StepFailed(down('timeout', `not done within ${length}`));
  }
}

/** Its own errors carry the call that failed; a page that is gone is the browser's fault, not a step's. */
const isPlaywrights = (thrown: unknown): thrown is Error =>
  thrown instanceof Error &&
  /^(?:page|locator|keyboard|frame)\.\w+: /.test(thrown.message) &&
  !/has been closed|crashed/.test(thrown.message);

async function open(url: string, { page, gate, timeoutMs, lastAsked }: StepContext): Promise<void> {
  const response = await page.goto(url, { timeout: timeoutMs, waitUntil: 'load' }).catch((thrown: unknown) => {
    const code = /net::(ERR_\w+)/.exec(messageOf(thrown))?.[1];
    if (code === undefined) throw thrown;
    throw new StepFailed(faultOf(code, { host: hostOf(lastAsked() || url), gate }));
  });
  const status = response?.status() ?? 0;
  if (status >= 400) throw new StepFailed(down('status', `status ${status}, expected less than 400`));
}

/** What the browser tells of a failed connection, in our words. The gate knows more than the browser. */
function faultOf(code: string, { host, gate }: { readonly host: string; readonly gate: Gate }): Outcome {
  if (code.startsWith('ERR_CERT')) {
    const words = code.slice('ERR_CERT_'.length).toLowerCase().replaceAll('_', ' ');
    return down('certificate', `the certificate of ${host} is not valid: ${words}`);
  }
  const known = gate.faultOf(host);
  if (known !== undefined) return known;
  if (code.startsWith('ERR_SSL')) return down('tls', `TLS with ${host} failed: ${code}`);
  return down('connection', `${host}: ${code}`);
}

async function act(step: WrittenStep, { page, clock, timeoutMs }: StepContext): Promise<void> {
  const timeout = timeoutMs;
  if (step.click !== undefined) return page.locator(step.click).click({ timeout });
  if (step.fill !== undefined) return page.locator(step.fill.selector).fill(step.fill.value.reveal(), { timeout });
  if (step.press !== undefined) {
    const { selector, key } = step.press;
    return selector === undefined ? page.keyboard.press(key) : page.locator(selector).press(key, { timeout });
  }
  if (step.wait_for !== undefined) return page.locator(step.wait_for.selector).first().waitFor({ state: step.wait_for.state, timeout });
  if (step.expect_text !== undefined) {
    const { selector, contains } = step.expect_text;
    return page.locator(selector).filter({ hasText: contains }).first().waitFor({ state: 'visible', timeout });
  }
  if (step.expect_selector !== undefined) return page.locator(step.expect_selector).first().waitFor({ state: 'visible', timeout });
  const { expect_url: url, expect_title: title } = step;
  if (url !== undefined) return seen(url, () => page.url(), { what: 'the address', clock, timeoutMs });
  if (title !== undefined) return seen(title, () => page.title(), { what: 'the title', clock, timeoutMs });
  throw new Error('expected a step that does something, found none');
}

/** Looks until some part of what `read` gives matches. Patterns are ours to match: they never reach the browser's engine. */
async function seen(
  source: string,
  read: () => string | Promise<string>,
  { what, clock, timeoutMs }: { readonly what: string; readonly clock: Clock; readonly timeoutMs: number },
): Promise<void> {
  const untilMs = clock.monotonic() + timeoutMs;
  for (;;) {
    const found = await read();
    if (matchesPart(source, found)) return;
    if (clock.monotonic() >= untilMs) {
      throw new StepFailed(down('expectation', `${what} is "${found.slice(0, MAX_SHOWN_CHARS)}"`));
    }
    await clock.sleep(LOOK_AGAIN_MS);
  }
}
