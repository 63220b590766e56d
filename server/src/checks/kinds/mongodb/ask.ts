import { type AttemptDeps, type AttemptRun, judgeRest } from '../../attempt.ts';
import { connectTo, partsOf } from '../../connect.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down } from '../../evaluate.ts';
import { shakeHands } from '../../tls.ts';
import { MAX_WIRE_BYTES, Wire } from '../../wire.ts';
import { decodeDocument, encodeDocument } from './bson.ts';

/** Opcode of every message since MongoDB 5.1 (manual, "Wire Protocol"). */
const OP_MSG = 2013;
const HEAD_BYTES = 16;
/** Flags (4) and the kind of the one section (1) before its document. */
const SECTION_BYTES = 5;
const REQUEST_ID = 1;

/** Up when the server answers `hello` and is what the check expects it to be. */
export async function askMongodb(spec: SpecOf<'mongodb'>, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  const address = partsOf(spec.address);
  const plain = await connectTo(run, { spec, ...address }, deps);
  try {
    const secure = spec.encryption === 'tls' ? await shakeHands(run, { socket: plain, host: address.host, tls: spec.tls }) : undefined;
    const wire = new Wire(run, secure?.socket ?? plain);
    run.enter('processing');
    wire.write(helloMessage());
    const head = await wire.bytes(HEAD_BYTES);
    const length = head.readInt32LE(0);
    const isAnswer = head.readInt32LE(8) === REQUEST_ID && head.readInt32LE(12) === OP_MSG;
    if (!isAnswer || length < HEAD_BYTES + SECTION_BYTES || length > MAX_WIRE_BYTES) {
      return down('bad_answer', `${run.peer} did not answer as MongoDB does`);
    }
    const body = await wire.bytes(length - HEAD_BYTES);
    run.leave();
    const hello = body[4] === 0 ? decodeDocument(body.subarray(SECTION_BYTES)) : undefined;
    if (hello === undefined) return down('bad_answer', `${run.peer} answered hello with no document`);
    return judgeHello(spec, hello) ?? judgeRest(spec, run, deps);
  } finally {
    plain.destroySoon();
  }
}

function helloMessage(): Buffer {
  const document = encodeDocument({ hello: 1, $db: 'admin' });
  const head = Buffer.alloc(HEAD_BYTES + SECTION_BYTES);
  head.writeInt32LE(head.length + document.length, 0);
  head.writeInt32LE(REQUEST_ID, 4);
  head.writeInt32LE(OP_MSG, 12);
  return Buffer.concat([head, document]);
}

/** Undefined when all is as expected. */
function judgeHello(spec: SpecOf<'mongodb'>, hello: NonNullable<ReturnType<typeof decodeDocument>>): Outcome | undefined {
  if (hello.get('ok') !== 1) return down('server_error', `${text(hello.get('errmsg'))} (code ${text(hello.get('code'))})`);
  const set = hello.get('setName');
  if (spec.replica_set !== undefined && set !== spec.replica_set) {
    return down(
      'replica_set',
      `${set === undefined ? 'in no replica set' : `in the replica set "${text(set)}"`}, expected "${spec.replica_set}"`,
    );
  }
  const role =
    hello.get('isWritablePrimary') === true ? 'primary' : hello.get('secondary') === true ? 'secondary' : 'neither primary nor secondary';
  // A member of a set that is neither starts, recovers or votes only: it serves nobody.
  if (spec.role === 'any' ? role.startsWith('neither') : role !== spec.role) {
    return down('role', `the server is ${role}, expected ${spec.role === 'any' ? 'one of them' : spec.role}`);
  }
  return undefined;
}

const text = (value: string | number | boolean | undefined): string =>
  value === undefined ? 'no reason given' : String(value).slice(0, 200);
