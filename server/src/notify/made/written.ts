/** Channels that were made here, as a person writes them: what of them is secret, how it is shown, and how it is kept. Pure but for the sealing. */
import { formatDuration } from '@nines/base/duration.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import { Secret } from '../../platform/config/fields.ts';
import { redactUrl } from '../../platform/config/redact.ts';
import { fieldPath } from '../../platform/http/schemas.ts';
import { HIDDEN } from '../../platform/scrub.ts';
import type { SecretPlace, Secrets } from '../../platform/secrets/contract.ts';
import { mapLeaves, openLeaves, placeBelow, sealedLeaf } from '../../platform/secrets/leaves.ts';
import { kindOf } from '../channels.ts';
import { type ChannelConfig, channelConfig } from '../config.ts';
import { KINDS } from '../kinds.ts';

export const CHANNEL_KIND = 'channel';
/** Fields that are lengths of time, which are written with their unit. */
export const LENGTHS: ReadonlySet<string> = new Set(['timeout', 'rate_limit.per']);
/** Where messages go: whoever changes one of these has to write the secrets anew, or they would go to somebody else. */
const ADDRESSES: ReadonlySet<string> = new Set(['host', 'port', 'tls', 'url', 'api_url', 'webhook_url']);

type Fields = Readonly<Record<string, unknown>>;

/** A parsed channel as a person would write it; `shown` says what stands for a text that is secret. */
function writtenChannel(config: ChannelConfig, shown: (text: string, path: string) => unknown): Fields {
  const sealed = kindOf(config).sealed ?? {};
  const written = mapLeaves(config, (leaf, path) => {
    if (leaf instanceof Secret) return shown(leaf.reveal(), path);
    if (typeof leaf === 'string' && opens(leaf, sealed[path])) return shown(leaf, path);
    return typeof leaf === 'number' && LENGTHS.has(path) ? formatDuration(leaf) : leaf;
  });
  return written as Fields;
}

/** Whether an address is kept like a secret. The usual base of a provider is none: as one it would be blotted out of every log. */
const opens = (address: string, kind: 'hook' | 'base' | undefined): boolean =>
  kind === 'hook' || (kind === 'base' && redactUrl(address) !== address);

/** Without its secrets; of an address its kind says what stays. */
export const shownChannel = (config: ChannelConfig): Fields => {
  const sealed = kindOf(config).sealed ?? {};
  return writtenChannel(config, (text, path) => {
    const kind = sealed[path];
    if (kind === undefined) return HIDDEN;
    return kind === 'base' ? redactUrl(text) : shownHook(text);
  });
};

/** An address that holds nothing beside its server is shown; whatever else it holds may open something. */
function shownHook(text: string): string {
  const url = new URL(text);
  return text === url.origin || text === `${url.origin}/` ? text : `${url.origin}/${HIDDEN}`;
}

const placeOf = (id: string): SecretPlace => ({ table: 'entities', id: `${CHANNEL_KIND} ${id}`, column: 'spec.channel' });

/** For the database: secrets sealed. */
export const keptChannel = (secrets: Pick<Secrets, 'seal'>, config: ChannelConfig): Fields =>
  writtenChannel(config, (text, path) => sealedLeaf(secrets, placeBelow(placeOf(config.id), path), new Secret(text)));

/** What was kept. The error says why it cannot be used. */
export function openKept(secrets: Pick<Secrets, 'open'>, id: string, kept: unknown): Result<ChannelConfig, string> {
  const { value, standIns } = openLeaves(secrets, placeOf(id), kept);
  const [lost] = standIns.values();
  if (lost !== undefined) return err(`its ${lost} cannot be read from the database; write it anew`);
  const parsed = channelConfig.safeParse(value);
  return parsed.success ? ok(parsed.data) : err(`it does not fit any more: ${sentenceOf(parsed.error.issues[0], value)}`);
}

export type ChannelFault = { readonly field: string; readonly message: string };

/** What somebody wrote, judged as the configuration file is. `before`: what is being changed, whose secrets stay where `[redacted]` stands. */
export function readChannel(written: Fields, before: ChannelConfig | undefined): Result<ChannelConfig, readonly ChannelFault[]> {
  const kind = Object.hasOwn(KINDS, String(written['kind'])) ? KINDS[written['kind'] as keyof typeof KINDS] : undefined;
  const onlyInFile = kind === undefined || !('onlyInFile' in kind) ? undefined : kind.onlyInFile;
  if (onlyInFile !== undefined) {
    const message = `a channel of kind ${String(written['kind'])} stands in the configuration file alone: ${onlyInFile}`;
    return err([{ field: 'kind', message }]);
  }
  const { value, kept } = before === undefined ? { value: written, kept: [] } : withSecretsOf(before, written);
  const invented = pathsOf(value, (text) => text.includes(HIDDEN));
  if (invented.length > 0) return err(invented.map((field) => ({ field, message: 'write it anew: nothing is kept in its place' })));
  const parsed = channelConfig.safeParse(value);
  if (!parsed.success)
    return err(parsed.error.issues.map((issue) => ({ field: fieldPath(issue.path), message: messageFor(issue, value) })).slice(0, 20));
  const [first] = kept;
  if (before !== undefined && first !== undefined && addressesOf(before) !== addressesOf(parsed.data)) {
    return err([{ field: first, message: 'the address has changed: write it anew, so that it goes nowhere by mistake' }]);
  }
  return ok(parsed.data);
}

type Issue = { readonly code?: string | undefined; readonly message: string; readonly path: readonly PropertyKey[] };
/** Zod speaks of types and forms; a person left a field out. */
function messageFor({ code, message, path }: Issue, written: unknown): string {
  const found = path.reduce<unknown>((inner, step) => (inner as Record<PropertyKey, unknown> | undefined)?.[step], written);
  return found === undefined && code !== 'custom' ? 'is needed' : message;
}
const sentenceOf = (issue: Issue | undefined, written: unknown): string =>
  issue === undefined ? 'invalid' : `${fieldPath(issue.path)}: ${messageFor(issue, written)}`;

/** The texts of a declaration that fulfil something, by their paths. */
function pathsOf(value: unknown, is: (text: string) => boolean): readonly string[] {
  const found: string[] = [];
  mapLeaves(value, (leaf, path) => void (typeof leaf === 'string' && is(leaf) && found.push(path)));
  return found;
}

/** What is sent as it was shown stays as it is. */
function withSecretsOf(before: ChannelConfig, written: Fields): { readonly value: Fields; readonly kept: readonly string[] } {
  const secrets = new Map<string, string>();
  const shown = new Map<string, unknown>();
  writtenChannel(before, (text, path) => void secrets.set(path, text));
  mapLeaves(shownChannel(before), (leaf, path) => void shown.set(path, leaf));
  const kept: string[] = [];
  const value = mapLeaves(written, (leaf, path) => {
    const secret = secrets.get(path);
    if (secret === undefined || leaf !== shown.get(path)) return leaf;
    // An address that is shown whole is no secret that could go elsewhere.
    if (leaf !== secret) kept.push(path);
    return secret;
  });
  return { value: value as Fields, kept };
}

function addressesOf(config: ChannelConfig): string {
  const found: [string, unknown][] = [];
  mapLeaves(config, (leaf, path) => {
    if (ADDRESSES.has(path.split('.').at(-1) ?? '')) found.push([path, leaf instanceof Secret ? leaf.reveal() : leaf]);
    return leaf;
  });
  return JSON.stringify(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}
