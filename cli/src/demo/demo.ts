import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import { serve } from '@nines/server/main.ts';
import { realClock } from '@nines/server/platform/clock.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { REPORTED_SLA, REPORT_AT_S, ROLES, ROUND, ROUND_S, type Role, demoConfig } from './plan.ts';
import { type Notification, startReceiver } from './receiver.ts';
import { type Target, startHttpTarget, startTcpTarget } from './targets.ts';

export type DemoOptions = { readonly port?: string | undefined; readonly pace?: string | undefined; readonly keep?: boolean | undefined };

const DEFAULT_PORT = 7070;
/** How long the server may take until it is ready. */
const READY_WITHIN_MS = 60_000;
const READY_POLL_MS = 100;
/** How late the demo's services usually answer; market data keeps its 10 ms, the others have room. */
const USUAL_MS: Readonly<Record<Exclude<Role, 'database'>, number>> = { trading: 12, gateway: 25, models: 60, market: 1 };

/** Runs the demo until the process is told to stop; resolves with the exit code. */
export async function runDemo(options: DemoOptions, clock: Clock = realClock): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'nines-demo-'));
  if (options.keep !== true) stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const story = new Story(clock);
  const targets = await startTargets(stack, clock);
  const pager = stack.use(await startReceiver((notification) => story.received(notification)));
  const port = await choosePort(options.port);
  const pace = readPace(options.pace);
  const config = join(folder, 'nines.yml');
  const ports = Object.fromEntries(ROLES.map((role) => [role, targets[role].port])) as Record<Role, number>;
  // The server's own log would drown the story; what goes wrong is still shown.
  writeFileSync(config, `${demoConfig(ports, pager.url)}\nlog: { level: error }\n`);
  const url = `http://127.0.0.1:${port}`;
  const stopped = new AbortController();
  const told = untilReady(url, clock, stopped.signal)
    .then(() => tell({ url, pager: pager.url, config, targets, story, clock, pace }, stopped.signal))
    .catch((thrown: unknown) => {
      if (!stopped.signal.aborted) story.say(`The demo stopped: ${messageOf(thrown)}`);
    });
  const stdout = new Writable({ write: (_chunk, _encoding, done) => done() });
  const code = await serve(
    { config, data: join(folder, 'data'), listen: `127.0.0.1:${port}`, insecureNoAuth: true },
    { stdout, stderr: process.stderr },
  );
  stopped.abort();
  await told;
  return code;
}

async function startTargets(stack: AsyncDisposableStack, clock: Clock): Promise<Readonly<Record<Role, Target>>> {
  const http = async (role: keyof typeof USUAL_MS): Promise<Target> => stack.use(await startHttpTarget(clock, USUAL_MS[role]));
  return {
    trading: await http('trading'),
    gateway: await http('gateway'),
    models: await http('models'),
    market: await http('market'),
    database: stack.use(await startTcpTarget()),
  };
}

function readPace(asked: string | undefined): number {
  const pace = asked === undefined ? 1 : Number(asked);
  if (Number.isFinite(pace) && pace > 0) return pace;
  throw new CliFailure(EXIT.badInput, `--pace: not a factor: "${asked ?? ''}"`);
}

/** The port that was asked for; otherwise the usual one, or a free one when that is in use. */
async function choosePort(asked: string | undefined): Promise<number> {
  if (asked !== undefined) {
    const port = Number(asked);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new CliFailure(EXIT.badInput, `--port: not a port: "${asked}"`);
    return port;
  }
  return (await isFree(DEFAULT_PORT)) ? DEFAULT_PORT : freePort();
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  const port = address === null || typeof address === 'string' ? DEFAULT_PORT : address.port;
  const closed = once(probe, 'close');
  probe.close();
  await closed;
  return port;
}

async function untilReady(url: string, clock: Clock, signal: AbortSignal): Promise<void> {
  const endMs = clock.monotonic() + READY_WITHIN_MS;
  while (clock.monotonic() < endMs) {
    // Refused until it listens.
    const answer = await fetch(`${url}/-/ready`, { signal }).catch(() => undefined);
    if (answer?.ok === true) return;
    await clock.sleep(READY_POLL_MS, { signal });
  }
  throw new Error('the server was not ready in time');
}

type Stage = {
  readonly url: string;
  readonly pager: string;
  readonly config: string;
  readonly targets: Readonly<Record<Role, Target>>;
  readonly story: Story;
  readonly clock: Clock;
  readonly pace: number;
};

/** Plays round after round, and writes the statement of each. */
async function tell(stage: Stage, signal: AbortSignal): Promise<void> {
  const { story, clock } = stage;
  story.begin(stage);
  const startMs = clock.monotonic();
  const until = (seconds: number): Promise<void> =>
    clock.sleep(Math.max(0, startMs + (seconds * 1000) / stage.pace - clock.monotonic()), { signal });
  for (let round = 0; ; round++) {
    for (const scene of ROUND) {
      await until(round * ROUND_S + scene.atS);
      await stage.targets[scene.role].turn(scene.mode);
      story.say(scene.words);
    }
    await until(round * ROUND_S + REPORT_AT_S);
    await writeReport(stage, signal);
    await until((round + 1) * ROUND_S - 1);
  }
}

/** Stays after the demo has ended, because it is what a visitor takes along. */
async function writeReport({ url, story }: Stage, signal: AbortSignal): Promise<void> {
  const answer = await fetch(`${url}/api/slas/${REPORTED_SLA}/report?format=html`, { signal });
  const text = await answer.text();
  if (!answer.ok) {
    story.say(`The statement could not be made: ${text}`);
    return;
  }
  const file = join(tmpdir(), 'nines-demo-statement.html');
  writeFileSync(file, text);
  story.say(`Statement of the trading system's SLA: ${file}`);
}

/** What the visitor reads in the terminal. */
class Story {
  readonly #clock: Clock;
  /** The status last told of each alert; the demo has a few dozen an hour. */
  readonly #told = new Map<string, string>();
  #startMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = clock.monotonic();
  }

  begin(stage: Pick<Stage, 'url' | 'pager' | 'config' | 'pace'>): void {
    this.#startMs = this.#clock.monotonic();
    const scenes = ROUND.map(({ atS, words }) => `  ${minutes(atS / stage.pace)}  ${words}`);
    const lines = [
      '',
      `  Nines      ${stage.url}`,
      `  Pager      ${stage.pager}      (shows every alert that was sent)`,
      `  Config     ${stage.config}`,
      '',
      'What happens:',
      ...scenes,
      `  ${minutes(REPORT_AT_S / stage.pace)}  A statement of the SLA is written.`,
      '',
      'Ctrl+C ends it.',
      '',
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  }

  say(words: string): void {
    process.stdout.write(`${minutes((this.#clock.monotonic() - this.#startMs) / 1000)}  ${words}\n`);
  }

  /** A notification repeats every open alert of its group; told is what is new in it. */
  received(notification: Notification): void {
    for (const { status, labels, annotations, startsAt } of notification.alerts) {
      const alert = JSON.stringify([labels, startsAt]);
      if (this.#told.get(alert) === status) continue;
      this.#told.set(alert, status);
      const what = annotations['summary'] ?? annotations['description'] ?? '';
      this.say(`Pager: ${status} ${labels['alertname'] ?? ''} ${labels['service'] ?? ''} ${what}`.trimEnd());
    }
  }
}

const minutes = (seconds: number): string => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
