import { type AttemptDeps, AttemptEnded, type AttemptRun, judgeRest } from '../../attempt.ts';
import { connectTo, partsOf } from '../../connect.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down } from '../../evaluate.ts';
import { shakeHands } from '../../tls.ts';
import { Wire } from '../../wire.ts';

/** Up when the server takes the password, if there is one, and answers PING. */
export async function askRedis(spec: SpecOf<'redis'>, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  const address = partsOf(spec.address);
  const plain = await connectTo(run, { spec, ...address }, deps);
  try {
    const secure = spec.encryption === 'tls' ? await shakeHands(run, { socket: plain, host: address.host, tls: spec.tls }) : undefined;
    const wire = new Wire(run, secure?.socket ?? plain);
    run.enter('processing');
    if (spec.password !== undefined) {
      wire.write(command('AUTH', ...(spec.username === undefined ? [] : [spec.username]), spec.password.reveal()));
      await expectReply(wire, { reply: 'OK', to: 'AUTH' });
    }
    wire.write(command('PING'));
    await expectReply(wire, { reply: 'PONG', to: 'PING' });
    run.leave();
    return judgeRest(spec, run, deps);
  } finally {
    plain.destroySoon();
  }
}

/** One command as an array of bulk strings (RESP2, which every version speaks). */
const command = (...words: readonly string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;

/** Errors by their first word, which is stable; their text is for people. */
const FAULTS: Readonly<Record<string, string>> = {
  NOAUTH: 'auth',
  WRONGPASS: 'auth',
  NOPERM: 'auth',
  LOADING: 'not_ready',
  MASTERDOWN: 'not_ready',
};

/** Ends the attempt when the answer is not the simple string expected. */
async function expectReply(wire: Wire, wanted: { readonly reply: string; readonly to: 'AUTH' | 'PING' }): Promise<void> {
  const line = await wire.line();
  if (line === `+${wanted.reply}`) return;
  const said = `"${line.slice(1, 201)}" in answer to ${wanted.to}`;
  const isFault = line.startsWith('-');
  const word = line.slice(1).split(' ', 1)[0] ?? '';
  if (isFault) throw new AttemptEnded(down(FAULTS[word] ?? (wanted.to === 'AUTH' ? 'auth' : 'server_error'), said));
  const isReply = line.startsWith('+');
  throw new AttemptEnded(
    down('bad_answer', isReply ? `${said}, expected ${wanted.reply}` : `not an answer of Redis: "${line.slice(0, 100)}"`),
  );
}
