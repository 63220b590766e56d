import type { Socket } from 'node:net';
import { type AttemptDeps, AttemptEnded, type AttemptRun, judgeRest } from '../../attempt.ts';
import { connectTo, partsOf } from '../../connect.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down } from '../../evaluate.ts';
import { shakeHands } from '../../tls.ts';
import { Wire } from '../../wire.ts';
import {
  CAPABILITIES,
  errorFrom,
  type Greeting,
  greetingFrom,
  loginHead,
  loginOf,
  type Packet,
  proofOf,
  readPacket,
  writePacket,
} from './packets.ts';

/** First bytes of answers. */
const OK = 0x00;
const MORE = 0x01;
const SWITCH = 0xfe;
const ERROR = 0xff;
/** Second byte of `MORE` under caching_sha2_password: the server knows the password already, or must be given it. */
const SHA2_KNOWN = 3;
const SHA2_GIVE = 4;
/** Rounds of one login; the longest known has four. */
const MAX_ROUNDS = 6;
const COM_QUIT = 0x01;
const COM_PING = 0x0e;

/** Up when the server greets, takes the login and answers COM_PING, as far as each was asked for. */
export async function askMysql(spec: SpecOf<'mysql'>, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  const address = partsOf(spec.address);
  const plain = await connectTo(run, { spec, ...address }, deps);
  try {
    run.enter('processing');
    let wire = new Wire(run, plain);
    const first = await readPacket(wire);
    if (first.payload[0] === ERROR) return faultOf(first.payload);
    const greeting = greetingFrom(first.payload);
    let { sequence } = first;
    if (spec.encryption === 'tls') {
      wire = new Wire(run, await encrypt(spec, run, { wire, greeting, sequence: ++sequence, host: address.host }));
      run.enter('processing');
    }
    if (spec.username !== undefined) {
      await logIn(wire, { spec, username: spec.username, greeting, sequence });
      writePacket(wire, { sequence: 0, payload: Buffer.of(COM_PING) });
      const answer = await readPacket(wire);
      if (answer.payload[0] !== OK) return faultOf(answer.payload);
      writePacket(wire, { sequence: 0, payload: Buffer.of(COM_QUIT) });
    }
    run.leave();
    return judgeRest(spec, run, deps);
  } finally {
    plain.destroySoon();
  }
}

type Upgrade = { readonly wire: Wire; readonly greeting: Greeting; readonly sequence: number; readonly host: string };

async function encrypt(spec: SpecOf<'mysql'>, run: AttemptRun, { wire, greeting, sequence, host }: Upgrade): Promise<Socket> {
  if ((greeting.capabilities & CAPABILITIES.ssl) === 0) throw new AttemptEnded(down('tls', `${run.peer} does not speak TLS`));
  writePacket(wire, { sequence, payload: loginHead(true) });
  return (await shakeHands(run, { socket: wire.socket, host, tls: spec.tls })).socket;
}

type LogIn = { readonly spec: SpecOf<'mysql'>; readonly username: string; readonly greeting: Greeting; readonly sequence: number };

/** Returns when the server has taken the login; ends the attempt when it has not. */
async function logIn(wire: Wire, { spec, username, greeting, sequence }: LogIn): Promise<void> {
  const encrypted = spec.encryption === 'tls';
  const password = spec.password?.reveal() ?? '';
  const offered = proofOf(greeting.plugin, password, greeting.salt);
  // A server's own plugin may not be the account's: it then says which one is.
  const plugin = offered === undefined ? 'mysql_native_password' : greeting.plugin;
  const proof = offered ?? Buffer.alloc(0);
  writePacket(wire, { sequence: sequence + 1, payload: loginOf({ username, proof, plugin, encrypted }) });
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const answer = await readPacket(wire);
    if (answer.payload[0] === OK) return;
    const reply = nextOf(answer, { password, encrypted });
    if (reply !== undefined) writePacket(wire, { sequence: answer.sequence + 1, payload: reply });
  }
  throw new AttemptEnded(down('bad_answer', `the login had no end after ${MAX_ROUNDS} answers`));
}

/** What is to be sent after an answer that is not the last; undefined: nothing, another answer follows. */
function nextOf(
  { payload }: Packet,
  { password, encrypted }: { readonly password: string; readonly encrypted: boolean },
): Buffer | undefined {
  if (payload[0] === SWITCH) {
    const nameEnd = payload.indexOf(0, 1);
    const plugin = payload.subarray(1, nameEnd < 0 ? undefined : nameEnd).toString('latin1');
    const salt = nameEnd < 0 ? Buffer.alloc(0) : payload.subarray(nameEnd + 1, nameEnd + 21);
    const proof = proofOf(plugin, password, salt);
    if (proof === undefined) throw new AttemptEnded(down('auth', `the account logs in by "${plugin}", which checks do not speak`));
    return proof;
  }
  if (payload[0] === MORE && payload[1] === SHA2_KNOWN) return undefined;
  if (payload[0] === MORE && payload[1] === SHA2_GIVE) {
    if (encrypted) return Buffer.from(`${password}\0`);
    throw new AttemptEnded(down('auth', 'the server wants the password itself, which is sent over TLS only: set encryption to tls'));
  }
  throw new AttemptEnded(faultOf(payload));
}

/** By error number (MySQL and MariaDB, "Server Error Message Reference"). */
const FAULTS: Readonly<Record<number, string>> = {
  1040: 'too_many_connections',
  1044: 'auth',
  1045: 'auth',
  1129: 'host_blocked',
  1130: 'auth',
  1203: 'too_many_connections',
  1698: 'auth',
};

function faultOf(payload: Buffer): Outcome {
  if (payload[0] !== ERROR) return down('bad_answer', 'neither OK nor an error came in answer');
  const { code, message } = errorFrom(payload);
  return down(FAULTS[code] ?? 'server_error', `${message} (error ${code})`);
}
