import type { Socket } from 'node:net';
import { type AttemptDeps, AttemptEnded, type AttemptRun, judgeRest } from '../../attempt.ts';
import { connectTo, partsOf } from '../../connect.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down } from '../../evaluate.ts';
import { shakeHands } from '../../tls.ts';
import { Wire } from '../../wire.ts';

/** Lines of one reply; the longest EHLO replies have about twenty. */
const MAX_REPLY_LINES = 100;

/** Up when the server greets, answers EHLO, encrypts and takes the password, as far as each was asked for. */
export async function askSmtp(spec: SpecOf<'smtp'>, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  const address = partsOf(spec.address);
  const plain = await connectTo(run, { spec, ...address }, deps);
  try {
    const encrypt = async (): Promise<Socket> => (await shakeHands(run, { socket: plain, host: address.host, tls: spec.tls })).socket;
    let wire = new Wire(run, spec.encryption === 'tls' ? await encrypt() : plain);
    run.enter('processing');
    await expectReply(wire, { code: 220, to: 'its greeting', fault: 'banner' });
    let offers = await hello(wire, spec.hello);
    if (spec.encryption === 'starttls') {
      if (!offers.includes('STARTTLS')) return down('starttls', `${run.peer} does not offer STARTTLS`);
      wire.write('STARTTLS\r\n');
      await expectReply(wire, { code: 220, to: 'STARTTLS', fault: 'starttls' });
      wire = new Wire(run, await encrypt());
      run.enter('processing');
      // What was offered before encryption may have been put there by someone on the way (RFC 3207, 4.2).
      offers = await hello(wire, spec.hello);
    }
    if (spec.auth !== undefined) await authenticate(wire, spec.auth, offers);
    run.leave();
    wire.socket.end('QUIT\r\n');
    return judgeRest(spec, run, deps);
  } finally {
    plain.destroySoon();
  }
}

/** Returns the lines of the answer without their code, in capitals. */
async function hello(wire: Wire, name: string): Promise<readonly string[]> {
  wire.write(`EHLO ${name}\r\n`);
  return expectReply(wire, { code: 250, to: 'EHLO', fault: 'bad_answer' });
}

async function authenticate(wire: Wire, auth: NonNullable<SpecOf<'smtp'>['auth']>, offers: readonly string[]): Promise<void> {
  const mechanisms = offers.find((line) => line.startsWith('AUTH '))?.split(/\s+/) ?? [];
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  if (mechanisms.includes('PLAIN')) {
    wire.write(`AUTH PLAIN ${base64(`\0${auth.username}\0${auth.password.reveal()}`)}\r\n`);
  } else if (mechanisms.includes('LOGIN')) {
    wire.write('AUTH LOGIN\r\n');
    await expectReply(wire, { code: 334, to: 'AUTH LOGIN', fault: 'auth' });
    wire.write(`${base64(auth.username)}\r\n`);
    await expectReply(wire, { code: 334, to: 'the user name', fault: 'auth' });
    wire.write(`${base64(auth.password.reveal())}\r\n`);
  } else throw new AttemptEnded(down('auth', 'the server offers neither AUTH PLAIN nor AUTH LOGIN'));
  await expectReply(wire, { code: 235, to: 'the password', fault: 'auth' });
}

/** Reads one reply (RFC 5321, 4.2.1): lines `250-…` and a last one `250 …`. Ends the attempt when its code is another. */
async function expectReply(
  wire: Wire,
  wanted: { readonly code: number; readonly to: string; readonly fault: string },
): Promise<readonly string[]> {
  const lines: string[] = [];
  while (lines.length < MAX_REPLY_LINES) {
    const line = await wire.line();
    const [, code = '', mark, text = ''] = /^(\d{3})([ -]?)(.*)$/.exec(line) ?? [];
    if (code === '') throw new AttemptEnded(down('bad_answer', `not an answer of a mail server: "${line.slice(0, 100)}"`));
    lines.push(text.toUpperCase());
    if (mark === '-') continue;
    if (Number(code) === wanted.code) return lines;
    throw new AttemptEnded(down(wanted.fault, `"${line.slice(0, 200)}" in answer to ${wanted.to}, expected ${wanted.code}`));
  }
  throw new AttemptEnded(down('bad_answer', `more than ${MAX_REPLY_LINES} lines in answer to ${wanted.to}`));
}
