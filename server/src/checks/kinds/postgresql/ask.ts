import type { Socket } from 'node:net';
import pg from 'pg';
import { type AttemptDeps, AttemptEnded, type AttemptRun, judgeRest, untilAborted } from '../../attempt.ts';
import { connectTo, partsOf } from '../../connect.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down, matchesPart } from '../../evaluate.ts';
import { shakeHands } from '../../tls.ts';
import { Wire } from '../../wire.ts';
import { fulfils } from '../../written.ts';

/** "I want to speak TLS", before anything else is said (PostgreSQL manual, 55.7, SSLRequest). */
const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f);
/** Characters of a value that are shown when it is not the one expected. */
const MAX_SHOWN = 100;

/** Up when the server takes the login and the query, if there is one, answers as expected. */
export async function askPostgresql(spec: SpecOf<'postgresql'>, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  const address = partsOf(spec.address);
  const plain = await connectTo(run, { spec, ...address }, deps);
  try {
    const socket = spec.encryption === 'tls' ? await encrypt(spec, run, { plain, host: address.host }) : plain;
    run.enter('processing');
    const outcome = await untilAborted(logInAndAsk(spec, run, socket), run.signal);
    run.leave();
    return outcome ?? judgeRest(spec, run, deps);
  } catch (thrown) {
    if (thrown instanceof pg.DatabaseError) return faultOfServer(thrown);
    throw thrown;
  } finally {
    plain.destroySoon();
  }
}

async function encrypt(
  spec: SpecOf<'postgresql'>,
  run: AttemptRun,
  { plain, host }: { readonly plain: Socket; readonly host: string },
): Promise<Socket> {
  run.enter('tls');
  const wire = new Wire(run, plain);
  wire.write(SSL_REQUEST);
  const answer = (await wire.bytes(1)).toString('latin1');
  if (answer === 'N') throw new AttemptEnded(down('tls', `${run.peer} does not speak TLS`));
  if (answer !== 'S') throw new AttemptEnded(down('bad_answer', `${run.peer} did not answer as PostgreSQL does`));
  return (await shakeHands(run, { socket: plain, host, tls: spec.tls })).socket;
}

/** Undefined when all is as expected. */
async function logInAndAsk(spec: SpecOf<'postgresql'>, run: AttemptRun, socket: Socket): Promise<Outcome | undefined> {
  const client = new pg.Client({
    user: spec.username,
    database: spec.database,
    // A function is what keeps the library from looking for one in the environment and in ~/.pgpass.
    password: () => spec.password?.reveal() ?? '',
    application_name: 'Nines (availability check)',
    stream: () => alreadyConnected(socket),
  });
  // A connection that is cut has its own words in what is awaited here.
  client.on('error', () => {});
  try {
    await client.connect();
    if (spec.query === undefined) return undefined;
    await client.query('BEGIN TRANSACTION READ ONLY');
    const asked: pg.QueryArrayConfig = { text: spec.query, rowMode: 'array', types: { getTypeParser: () => String } };
    // Several statements have several results; the last one counts.
    const found = [await client.query<unknown[]>(asked)].flat().at(-1);
    return judgeValue(spec, run, found?.rows[0]?.[0]);
  } catch (thrown) {
    if (thrown instanceof pg.DatabaseError || !(thrown instanceof Error)) throw thrown;
    if (/password must/.test(thrown.message)) return down('auth', 'the server wants a password and the check has none');
    if (/terminated unexpectedly/.test(thrown.message)) return down('connection_closed', `${run.peer} hung up in the middle of its answer`);
    throw thrown;
  } finally {
    // The outcome is known; how the parting goes changes nothing.
    void client.end().catch(() => {});
  }
}

/** The library connects what it is given; this one is connected, and says so when asked. */
function alreadyConnected(socket: Socket): Socket {
  socket.connect = () => {
    process.nextTick(() => socket.emit('connect'));
    return socket;
  };
  return socket;
}

function judgeValue(spec: SpecOf<'postgresql'>, run: AttemptRun, value: unknown): Outcome | undefined {
  const text = typeof value === 'string' ? value : undefined;
  const number = text === undefined || text.trim() === '' ? NaN : Number(text);
  if (!Number.isNaN(number)) run.figures.push({ name: 'probe_query_value', value: number });
  const { expect } = spec;
  if (expect === undefined) return undefined;
  if (text === undefined) return down('value', 'the query gives no value');
  const shown = text.slice(0, MAX_SHOWN);
  if (expect.value !== undefined && text !== expect.value) return down('value', `the query gives "${shown}", expected "${expect.value}"`);
  if (expect.matches !== undefined && !matchesPart(expect.matches, text)) {
    return down('value', `the query gives "${shown}", expected a match of ${expect.matches}`);
  }
  if (expect.condition !== undefined && !(Number.isNaN(number) ? false : fulfils(number, expect.condition))) {
    return down('value', `the query gives "${shown}", expected ${expect.condition}`);
  }
  return undefined;
}

/** By SQLSTATE (PostgreSQL manual, appendix A): class 28 is who may log in, 3D a database that is not there, 57P03 a start or stop. */
function faultOfServer(fault: pg.DatabaseError): Outcome {
  const code = fault.code ?? '';
  const known = code.startsWith('28') ? 'auth' : code === '3D000' ? 'database_not_found' : code === '57P03' ? 'not_ready' : undefined;
  return down(known ?? (code === '53300' ? 'too_many_connections' : 'server_error'), `${fault.message} (SQLSTATE ${code})`);
}
