import { createHash } from 'node:crypto';
import { AttemptEnded } from '../../attempt.ts';
import { down } from '../../evaluate.ts';
import type { Wire } from '../../wire.ts';

/**
 * What of the MySQL protocol a login needs (MySQL Internals, "Client/Server Protocol"; MariaDB's is the same here).
 *
 *     packet    length (3 bytes, little endian), sequence (1), payload
 *     greeting  0x0a, version (0-ended), thread (4), salt (8), 0, capabilities low (2), charset (1), status (2),
 *               capabilities high (2), salt length (1), 10 zeros, salt (13, the last is 0), plugin (0-ended)
 *     login     capabilities (4), longest packet (4), charset (1), 23 zeros, user (0-ended), proof length (1), proof, plugin (0-ended)
 */
export const CAPABILITIES = { protocol41: 0x200, ssl: 0x800, secureConnection: 0x8000, pluginAuth: 0x8_0000 } as const;
const UTF8MB4 = 45;
const MAX_PACKET = 0x0100_0000;

export type Packet = { readonly sequence: number; readonly payload: Buffer };

export async function readPacket(wire: Wire): Promise<Packet> {
  const head = await wire.bytes(4);
  return { sequence: head.readUInt8(3), payload: await wire.bytes(head.readUIntLE(0, 3)) };
}

export function writePacket(wire: Wire, { sequence, payload }: Packet): void {
  const head = Buffer.alloc(4);
  head.writeUIntLE(payload.length, 0, 3);
  head.writeUInt8(sequence & 0xff, 3);
  wire.write(Buffer.concat([head, payload]));
}

export type Greeting = { readonly capabilities: number; readonly salt: Buffer; readonly plugin: string };

/** Ends the attempt when these are not the bytes of a greeting. */
export function greetingFrom(payload: Buffer): Greeting {
  const versionEnd = payload.indexOf(0, 1);
  const at = versionEnd + 1;
  if (payload[0] !== 0x0a || versionEnd < 0 || payload.length < at + 44) {
    throw new AttemptEnded(down('bad_answer', `not the greeting of a MySQL server: "${printable(payload)}"`));
  }
  const capabilities = payload.readUInt16LE(at + 13) | (payload.readUInt16LE(at + 18) << 16);
  const salt = Buffer.concat([payload.subarray(at + 4, at + 12), payload.subarray(at + 31, at + 43)]);
  const name = payload
    .subarray(at + 44)
    .toString('latin1')
    .replace(/\0.*$/s, '');
  return { capabilities, salt, plugin: name === '' ? 'mysql_native_password' : name };
}

const clientFlags = (encrypted: boolean): number =>
  CAPABILITIES.protocol41 | CAPABILITIES.secureConnection | CAPABILITIES.pluginAuth | (encrypted ? CAPABILITIES.ssl : 0);

/** The beginning of a login; alone it asks for TLS. */
export function loginHead(encrypted: boolean): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32LE(clientFlags(encrypted), 0);
  head.writeUInt32LE(MAX_PACKET, 4);
  head.writeUInt8(UTF8MB4, 8);
  return head;
}

type Login = { readonly username: string; readonly proof: Buffer; readonly plugin: string; readonly encrypted: boolean };

export const loginOf = ({ username, proof, plugin, encrypted }: Login): Buffer =>
  Buffer.concat([loginHead(encrypted), Buffer.from(`${username}\0`), Buffer.of(proof.length), proof, Buffer.from(`${plugin}\0`)]);

const hashed = (algorithm: 'sha1' | 'sha256', ...parts: readonly Buffer[]): Buffer => {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const xor = (a: Buffer, b: Buffer): Buffer => Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)));

/** What shows that we know the password without sending it; undefined for a plugin that we do not speak. An empty password has no proof. */
export function proofOf(plugin: string, password: string, salt: Buffer): Buffer | undefined {
  const known = Buffer.from(password);
  switch (plugin) {
    case 'mysql_native_password': {
      const once = hashed('sha1', known);
      return password === '' ? Buffer.alloc(0) : xor(once, hashed('sha1', salt, hashed('sha1', once)));
    }
    case 'caching_sha2_password': {
      const once = hashed('sha256', known);
      return password === '' ? Buffer.alloc(0) : xor(once, hashed('sha256', hashed('sha256', once), salt));
    }
    default:
      return undefined;
  }
}

/** The number and words of an error packet. */
export function errorFrom(payload: Buffer): { readonly code: number; readonly message: string } {
  const code = payload.length < 3 ? 0 : payload.readUInt16LE(1);
  return {
    code,
    message: payload
      .subarray(3, 515)
      .toString('utf8')
      .replace(/^#...../, ''),
  };
}

export const printable = (bytes: Buffer): string =>
  bytes
    .subarray(0, 100)
    .toString('latin1')
    .replaceAll(/[^ -~]/g, '.');
