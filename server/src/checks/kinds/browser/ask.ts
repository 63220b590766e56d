import { messageOf } from '@nines/base/errors.ts';
import type { BrowserContext, Page } from 'playwright-core';
import { type AttemptDeps, AttemptEnded, type AttemptRun } from '../../attempt.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { judgeLength, notAsked } from '../../evaluate.ts';
import { type Lease, NoBrowser } from './browsers.ts';
import { Gate, hostOf } from './gate.ts';
import { nameOf, StepFailed, takeStep } from './journey.ts';
import type { WrittenStep } from './spec.ts';
import { HIDDEN, scrubbedStart } from '../../../platform/scrub.ts';

type Spec = SpecOf<'browser'>;

/** The end of the time limit is kept for the picture of what was seen. */
const EVIDENCE_MS = 6_000;
const EVIDENCE_SHARE = 0.2;
/** A larger picture is not kept. */
const MAX_SCREENSHOT_BYTES = 262_144;
const JPEG_QUALITY = 50;
const VIEWPORT = { width: 1280, height: 720 } as const;
const MAX_EXCERPT_CHARS = 1_024;
/** Secrets shorter than this stand in every text by chance; the field that they are typed into is masked all the same. */
const MIN_REDACTED_CHARS = 3;
/** Having waited for longer than this share of its time, a journey that was too slow may have been so because of us. */
const WAITED_SHARE = 0.2;

/** One journey, in a context of its own: no cookie, no cache, nothing of others. */
export async function askBrowser(spec: Spec, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  if (deps.browsers === undefined) return notAsked('no_browser', 'there is no browser here');
  const askedMs = deps.clock.monotonic();
  using lease = await leaseFor(run, deps.browsers);
  const waitedMs = deps.clock.monotonic() - askedMs;
  await using gate = await Gate.open(spec, deps);
  const context = await lease.browser.newContext({
    proxy: { server: gate.url },
    ignoreHTTPSErrors: !spec.tls.verify,
    viewport: spec.viewport ?? VIEWPORT,
    acceptDownloads: false,
    serviceWorkers: 'block',
  });
  // Whatever the browser is waiting for ends when the attempt does. A context that does not close went with its browser.
  const onAbort = (): void => void context.close().catch(() => {});
  run.signal.addEventListener('abort', onAbort, { once: true });
  try {
    run.begin();
    const outcome = await journey(spec, { run, deps, gate, context, lease, waitedMs });
    const late = outcome.kind === 'down' && outcome.code === 'timeout' && waitedMs > spec.timeoutMs * WAITED_SHARE;
    if (!late) return outcome;
    return notAsked('local_resource', `${outcome.detail}; not counted, because it waited ${Math.round(waitedMs)} ms for the browser`);
  } finally {
    run.signal.removeEventListener('abort', onAbort);
    await context.close().catch(() => {});
  }
}

async function leaseFor(run: AttemptRun, browsers: NonNullable<AttemptDeps['browsers']>): Promise<Lease> {
  try {
    return await browsers.lease(run.signal);
  } catch (thrown) {
    if (thrown instanceof NoBrowser) throw new AttemptEnded(notAsked('no_browser', thrown.message));
    if (!(run.signal.reason instanceof AttemptEnded)) throw thrown;
    throw new AttemptEnded(notAsked('local_resource', 'no browser was free within the time of the attempt (checks.browser.concurrency)'));
  }
}

type Journey = {
  readonly run: AttemptRun;
  readonly deps: AttemptDeps;
  readonly gate: Gate;
  readonly context: BrowserContext;
  readonly lease: Lease;
  readonly waitedMs: number;
};

async function journey(spec: Spec, on: Journey): Promise<Outcome> {
  const { run, deps, gate, context, lease, waitedMs } = on;
  const { clock } = deps;
  const page = await context.newPage();
  let lastAsked = '';
  page.on('request', (request) => {
    if (request.isNavigationRequest() && request.frame() === page.mainFrame()) lastAsked = request.url();
  });
  const untilMs = clock.monotonic() + spec.timeoutMs - waitedMs - Math.min(EVIDENCE_MS, spec.timeoutMs * EVIDENCE_SHARE);
  const steps: { name: string; durationMs: number }[] = [];
  for (const [i, step] of spec.steps.entries()) {
    const name = nameOf(step);
    const beganMs = clock.monotonic();
    const timeoutMs = Math.max(1, Math.min(spec.step_timeout, untilMs - beganMs));
    try {
      await takeStep(step, { page, gate, clock, timeoutMs, lastAsked: () => lastAsked });
    } catch (thrown) {
      if (run.signal.aborted) throw thrown;
      if (!lease.browser.isConnected() || !(thrown instanceof StepFailed)) {
        return notAsked('local_resource', `the browser ended in step ${i + 1} (${name}): ${messageOf(thrown).split('\n')[0]}`);
      }
      steps.push({ name, durationMs: clock.monotonic() - beganMs });
      await keepEvidence(spec, { run, page });
      // A page that we may not ask was not seen, whatever the step found in its place.
      const refused = gate.faultOf(hostOf(lastAsked));
      return told(refused?.kind === 'void' ? refused : thrown.outcome, { spec, words: `step ${i + 1} (${name})` });
    } finally {
      run.seen = { ...run.seen, steps };
    }
    const durationMs = clock.monotonic() - beganMs;
    steps.push({ name, durationMs });
    run.figures.push({ name: 'probe_browser_step_duration_seconds', value: durationMs / 1000, labels: { step: `${i + 1} ${name}` } });
  }
  return judgeLength(spec.degraded_after, run.durationMs());
}

const told = (outcome: Outcome, { spec, words }: { readonly spec: Spec; readonly words: string }): Outcome =>
  outcome.kind === 'up' ? outcome : { ...outcome, detail: redacted(`${words}: ${outcome.detail}`, spec.steps) };

/** What stood on the page: a picture with the filled fields covered, and the beginning of its text. Nothing when it cannot be had. */
async function keepEvidence(spec: Spec, { run, page }: { readonly run: AttemptRun; readonly page: Page }): Promise<void> {
  const evidenceMs = Math.min(EVIDENCE_MS, spec.timeoutMs * EVIDENCE_SHARE);
  const filled = spec.steps.flatMap(({ fill }) => (fill === undefined ? [] : page.locator(fill.selector)));
  const picture = await page
    .screenshot({ type: 'jpeg', quality: JPEG_QUALITY, mask: filled, timeout: evidenceMs * 0.7 })
    .catch(() => undefined);
  const text = await page
    .locator('body')
    .innerText({ timeout: evidenceMs * 0.2 })
    .catch(() => '');
  const excerpt = scrubbedStart(redacted(`${page.url()}\n${text}`, spec.steps), MAX_EXCERPT_CHARS);
  const screenshot = picture !== undefined && picture.length <= MAX_SCREENSHOT_BYTES ? { screenshot: picture } : {};
  run.seen = { ...run.seen, excerpt, ...screenshot };
}

/** The text without what was typed, as it is and as it stands in an address. */
function redacted(text: string, steps: readonly WrittenStep[]): string {
  const typed = steps.flatMap(({ fill }) => (fill === undefined ? [] : fill.value.reveal()));
  const forms = typed.flatMap((value) => [value, encodeURIComponent(value), encodeURIComponent(value).replaceAll('%20', '+')]);
  return forms.filter((form) => form.length >= MIN_REDACTED_CHARS).reduce((left, form) => left.replaceAll(form, HIDDEN), text);
}
