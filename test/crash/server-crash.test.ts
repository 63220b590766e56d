import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Nines, freePort, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { WRITE_HEADERS, writeBody } from '../harness/remote-write.ts';

/** 500 in the full size; the fast size shows that the test itself works. */
const ROUNDS = process.env['NINES_FULL'] === '1' ? 500 : 5;
const SERIES = 50;
const SENDERS = 4;
const STEP_MS = 250;

type Matrix = { data: { result: { metric: Record<string, string>; values: [number, string][] }[] } };

/** What one sender was told: its sequence numbers up to `acknowledged` were answered 204, those up to `sent` may be there. */
type Told = { sent: number; acknowledged: number };
const nothingYet = (): Told => ({ sent: -1, acknowledged: -1 });

type Sending = { readonly round: number; readonly sender: number; readonly baseMs: number; readonly told: Told };

/** Each sender writes its own series, one timestamp per request, so that nothing it sends is out of order. */
async function sendUntilDead(nines: Nines, { round, sender, baseMs, told }: Sending): Promise<void> {
  for (let sequence = 0; sequence < 5_000; sequence++) {
    const series = Array.from({ length: SERIES }, (_, i) => ({
      labels: { __name__: 'crash_sequence', round: String(round), sender: String(sender), i: String(i) },
      samples: [[baseMs + sequence * STEP_MS, sequence * 1_000 + i]] as const,
    }));
    told.sent = sequence;
    try {
      const answer = await nines.send('POST', '/api/v1/write', writeBody(series), WRITE_HEADERS);
      assert.equal(answer.status, 204, answer.text);
      told.acknowledged = sequence;
    } catch (thrown) {
      if (thrown instanceof assert.AssertionError) throw thrown;
      return;
    }
  }
}

async function verify(nines: Nines, round: number, baseMs: number, told: readonly Told[]): Promise<number> {
  const lastMs = baseMs + Math.max(...told.map(({ sent }) => sent)) * STEP_MS;
  const query = `crash_sequence{round="${round}"}[${Math.ceil((lastMs - baseMs) / 1000) + 1}s]`;
  const answer = await nines.get<Matrix>(`/api/v1/query?query=${encodeURIComponent(query)}&time=${(lastMs + 1) / 1000}`);
  assert.equal(answer.status, 200, answer.text);
  let found = 0;
  for (const [sender, { sent, acknowledged }] of told.entries()) {
    for (let i = 0; i < SERIES; i++) {
      const one = answer.json.data.result.find(({ metric }) => metric['sender'] === String(sender) && metric['i'] === String(i));
      const values = one?.values ?? [];
      // No duplicate, no gap, no invention: sequence k stands at its own instant with its own value, for 0 … n.
      assert.deepEqual(
        values,
        values.map((_, k) => [(baseMs + k * STEP_MS) / 1000, String(k * 1_000 + i)]),
        `round ${round}, sender ${sender}, series ${i}`,
      );
      assert.ok(values.length > acknowledged, `round ${round}: ${acknowledged + 1} were acknowledged, ${values.length} are there`);
      assert.ok(values.length <= sent + 1, `round ${round}: ${sent + 1} were sent, ${values.length} are there`);
      found += values.length;
    }
  }
  return found;
}

test(`every acknowledged sample is there once after kill -9 under load (${ROUNDS} times)`, { timeout: 7_200_000 }, async (context) => {
  const port = await freePort();
  const baseMs = Math.floor(Date.now() / 1000) * 1000 - 1_800_000;
  let nines = await startNines({ port });
  const folder = nines.folder;
  const history: { readonly round: number; readonly told: readonly Told[] }[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const told = Array.from({ length: SENDERS }, nothingYet);
      const senders = told.map((of, sender) => sendUntilDead(nines, { round, sender, baseMs, told: of }));
      // A machine that is busy enough would be killed before it was asked anything, and the round would prove nothing.
      await poll('a first request to be acknowledged', () => told.some(({ acknowledged }) => acknowledged >= 0));
      // The moment is random on purpose; every round prints what it found, so a failure can be repeated by its data.
      const delayMs = Math.floor(Math.random() * 700);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await nines.kill();
      await Promise.all(senders);
      history.push({ round, told });
      nines = await startNines({ folder, port });
      const found = await verify(nines, round, baseMs, told);
      context.diagnostic(
        `round ${round}: killed after ${delayMs} ms, acknowledged ${told.map(({ acknowledged }) => acknowledged + 1).join('+')} requests, ${found} samples there`,
      );
    }
    for (const { round, told } of history) await verify(nines, round, baseMs, told);
  } finally {
    await nines[Symbol.asyncDispose]();
  }
});
