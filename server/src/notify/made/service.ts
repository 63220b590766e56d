import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { Kysely } from 'kysely';
import type { Bus } from '../../platform/bus.ts';
import type { Database } from '../../platform/db/schema.ts';
import type { Entity } from '../../platform/records/contract.ts';
import { findEntity, listEntities, retireEntity, updateEntity, upsertEntity } from '../../platform/records/entities.ts';
import type { Secrets } from '../../platform/secrets/contract.ts';
import { scrub } from '../../platform/scrub.ts';
import { createTurns } from '../../platform/turns.ts';
import { type OpenChannel, openChannel, openChannels, openMailers, contactFault } from '../channels.ts';
import { type ChannelConfig, type ChannelsConfig, type RoutingConfig, failoverFault, intervalsOf, withRest } from '../config.ts';
import { CHANNEL_CODES, type ChannelView, type Delivery, type ListedChannel, type MadeChannelView, type Mailer } from '../contract.ts';
import type { ChannelDeps } from '../kind.ts';
import { type Routed, createPolicyRouter, createRouter } from '../route.ts';
import type { NotifySettings } from '../service.ts';
import { testMessage } from '../test-message.ts';
import { wordsOf } from '../words.ts';
import type { DraftChannel } from './draft.ts';
import { CHANNEL_KIND, type ChannelFault, keptChannel, openKept, readChannel, shownChannel } from './written.ts';

/** Channels that were made here; more are a list that nobody keeps in order. */
const MAX_CHANNELS = 200;

/** The channels and the routing of the configuration file. */
export type FileChannels = {
  readonly config: { readonly channels: ChannelsConfig; readonly routing: RoutingConfig };
  /** `nines.yml:12`; '' for what another file brings. */
  readonly place: (path: readonly PropertyKey[]) => string;
};

export type MadeDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly bus: Bus;
  readonly secrets: Secrets;
  /** What channels of the file may use; those that were made here go where an administrator may. */
  readonly ways: ChannelDeps;
  readonly externalUrl: string;
  /** Called after the channels in force have changed by a call. */
  readonly onChange: (settings: NotifySettings) => void;
};

/** How one stands in the database. */
type Kept = { readonly channel: Readonly<Record<string, unknown>>; readonly takes_rest: boolean };
type Trying = { readonly by: string; readonly signal: AbortSignal };

type Made = {
  readonly id: string;
  readonly kind: string;
  readonly revision: number;
  readonly takesRest: boolean;
  /** A sentence when what was kept cannot be used. */
  readonly opened: { readonly one: OpenChannel; readonly mailer: Mailer | undefined } | { readonly fault: string };
};
type FromFile = {
  readonly file: FileChannels;
  readonly channels: ReadonlyMap<string, OpenChannel>;
  readonly mailers: ReadonlyMap<string, Mailer>;
};

/** Which channels there are: the file's are the file's, those made here are changed here and work at once. An id that the file declares is the file's. */
export class Channels {
  readonly #deps: MadeDeps;
  readonly #madeWays: ChannelDeps;
  readonly #alone = createTurns();
  #file: FromFile;
  #made: ReadonlyMap<string, Made> = new Map();
  #inForce!: { readonly channels: ChannelsConfig; readonly routing: RoutingConfig };
  #settings!: NotifySettings;
  #routed!: (labels: Readonly<Record<string, string>>) => Routed;

  constructor(deps: MadeDeps, file: FileChannels) {
    this.#deps = deps;
    const { request, connect } = deps.ways;
    const trust = 'administrator' as const;
    this.#madeWays = {
      ...deps.ways,
      request: (url, options) => request(url, { trust, ...options }),
      connect: (to, options) => connect(to, { trust, ...options }),
    };
    this.#file = this.#open(file);
    this.#putInForce();
  }

  /** Reads what was made here. Before anything is sent. */
  async load(): Promise<void> {
    const rows = await listEntities(this.#deps.db, { kind: CHANNEL_KIND });
    this.#made = new Map(rows.map((row) => [row.slug, this.#read(row)]));
    for (const { id, opened } of this.#made.values())
      if ('fault' in opened) this.#deps.logger.error('a channel that was made here cannot send', { channel: id, reason: opened.fault });
    this.#putInForce();
  }

  /** Takes the file's channels and routing. What can fail does so before the second call, which puts them in force. */
  prepare(file: FileChannels): () => NotifySettings {
    const next = this.#open(file);
    return () => {
      for (const id of this.#made.keys())
        if (next.channels.has(id))
          this.#deps.logger.warn('the configuration file takes the place of a channel that was made here', { channel: id });
      this.#file = next;
      this.#putInForce();
      return this.#settings;
    };
  }

  settings(): NotifySettings {
    return this.#settings;
  }

  /** The file's channels and routing with what was made here. */
  inForce(): { readonly channels: ChannelsConfig; readonly routing: RoutingConfig } {
    return this.#inForce;
  }

  readonly routed = (labels: Readonly<Record<string, string>>): Routed => this.#routed(labels);

  readonly contactFault = (contact: { readonly channel: string; readonly to?: string | undefined }): string | undefined =>
    contactFault(this.#inForce.channels, contact);

  /** What sends the mails of other domains through a channel. */
  readonly mailer = (id: string): Mailer | undefined => {
    const made = this.#file.channels.has(id) ? undefined : this.#made.get(id)?.opened;
    return this.#file.mailers.get(id) ?? (made !== undefined && 'one' in made ? made.mailer : undefined);
  };

  /** Of the first channel of kind `email`. */
  readonly firstMailer = (): Mailer | undefined => this.mailer(this.#inForce.channels.find(({ kind }) => kind === 'email')?.id ?? '');

  /** The channels in force with where each is changed, and those that cannot be used. */
  listed(views: readonly ChannelView[]): readonly ListedChannel[] {
    const known = views.map((view): ListedChannel => ({ ...view, ...this.#standingOf(view.id), fault: null }));
    const broken = [...this.#made.values()].flatMap((made): readonly ListedChannel[] => {
      if ('one' in made.opened || this.#file.channels.has(made.id)) return [];
      const none = { delivered: 0, given_up: 0, waiting: 0, delivered_at_ms: null, failed: null };
      return [{ id: made.id, kind: made.kind, target: '', ...none, ...this.#standingOf(made.id), fault: made.opened.fault }];
    });
    return [...known, ...broken];
  }

  /** `AppError` `channel_not_found`. */
  get(id: string): MadeChannelView {
    const config = this.#inForce.channels.find((one) => one.id === id);
    const made = this.#made.get(id);
    if (config === undefined && made === undefined) throw notFound(id);
    // What cannot be read is written anew from its kind on.
    const channel = config === undefined ? { id, kind: made?.kind } : shownChannel(config);
    return { id, kind: config?.kind ?? made?.kind ?? '', ...this.#standingOf(id), channel };
  }

  /** `AppError` `channel_exists`, `channel_invalid`, `channels_full`. */
  create(draft: DraftChannel, takesRest: boolean): Promise<MadeChannelView> {
    return this.#alone(async () => {
      const config = this.#judged(draft, undefined);
      const { id } = config;
      if (this.#file.channels.has(id) || this.#made.has(id))
        throw new AppError('conflict', CHANNEL_CODES.exists, `there is a channel "${id}" already`, { field: 'id' });
      if (this.#made.size >= MAX_CHANNELS)
        throw new AppError('conflict', CHANNEL_CODES.full, `${MAX_CHANNELS} channels were made here, which is as many as there may be`);
      const { db, ids, clock, secrets } = this.#deps;
      const spec: Kept = { channel: keptChannel(secrets, config), takes_rest: takesRest };
      const input = { kind: CHANNEL_KIND, slug: id, name: id, origin: 'ui' as const, originPlace: '', spec };
      const row = await db.transaction().execute((trx) => upsertEntity(trx, input, { ids, nowMs: clock.now() }));
      this.#take(row);
      return this.get(id);
    });
  }

  /** `AppError` as for `create` and `remove`, and `revision_conflict` when it is no longer the one that was read. */
  update(
    id: string,
    { draft, takesRest, revision }: { readonly draft: DraftChannel; readonly takesRest: boolean; readonly revision: number | undefined },
  ): Promise<MadeChannelView> {
    return this.#alone(async () => {
      const { kind } = this.#editable(id);
      if (draft.id !== id) throw invalid([{ field: 'id', message: 'the id of a channel cannot change: routes and policies name it' }]);
      if (draft.kind !== kind) throw invalid([{ field: 'kind', message: `it is of kind ${kind}; make another channel for another kind` }]);
      const config = this.#judged(draft, this.#configOf(id));
      const { db, secrets } = this.#deps;
      const row = await db.transaction().execute(async (trx) => {
        const read = await findEntity(trx, CHANNEL_KIND, id);
        if (read === undefined || read.retiredAtMs !== null) throw notFound(id);
        const spec: Kept = { channel: keptChannel(secrets, config), takes_rest: takesRest };
        return updateEntity(trx, { ...read, revision: revision ?? read.revision }, { name: id, spec });
      });
      this.#take(row);
      return this.get(id);
    });
  }

  /** `usedBy`: what names it, in words. `AppError` `channel_not_found`, `channel_owned_by_file`, `channel_used`. */
  remove(id: string, usedBy: readonly string[]): Promise<void> {
    return this.#alone(async () => {
      this.#editable(id);
      if (usedBy.length > 0)
        throw new AppError('conflict', CHANNEL_CODES.used, `the channel is in use: ${usedBy.join(', ')}`, { details: { used_by: usedBy } });
      await retireEntity(this.#deps.db, { kind: CHANNEL_KIND, slug: id }, this.#deps.clock.now());
      this.#made = new Map([...this.#made].filter(([one]) => one !== id));
      this.#changed();
    });
  }

  /** Sends a test through a channel that is not saved. `of`: the channel that is being changed. `AppError` `channel_invalid`. */
  async tryOut(draft: DraftChannel, of: string | undefined, { by, signal }: Trying): Promise<Delivery> {
    const before = of === undefined ? undefined : this.#configOf(this.#editable(of).id);
    const config = this.#judged(draft, before?.kind === draft.kind ? before : undefined);
    const { clock, ids, externalUrl } = this.#deps;
    const message = testMessage({ channel: config.id, by, atMs: clock.now(), externalUrl });
    const words = await wordsOf(message, config.templates, clock.now());
    const { channel } = openChannel(config, this.#madeWays);
    try {
      const about = { reason: 'test', cause: `asked for by ${by}`, words };
      return await channel.deliver({ message, idempotencyKey: ids.uuid(), signal, ...about });
    } catch (thrown) {
      return { kind: 'failed', error: scrub(messageOf(thrown)), retryable: true };
    }
  }

  #judged(draft: DraftChannel, before: ChannelConfig | undefined): ChannelConfig {
    const read = readChannel(draft.reveal(), before);
    if (!read.ok) throw invalid(read.error);
    const others = this.#inForce.channels.filter(({ id }) => id !== read.value.id);
    const fault = failoverFault(read.value, [...others, read.value]);
    if (fault !== undefined) throw invalid([{ field: 'failover', message: fault }]);
    return read.value;
  }

  #editable(id: string): Made {
    if (this.#file.channels.has(id)) {
      const { origin } = this.#standingOf(id);
      throw new AppError('conflict', CHANNEL_CODES.ownedByFile, `the channel "${id}" is declared in ${origin} and is changed there`, {
        details: { place: origin },
      });
    }
    const made = this.#made.get(id);
    if (made === undefined) throw notFound(id);
    return made;
  }

  #configOf(id: string): ChannelConfig | undefined {
    const opened = this.#made.get(id)?.opened;
    return opened !== undefined && 'one' in opened ? opened.one.config : undefined;
  }

  #standingOf(id: string): Pick<ListedChannel, 'origin' | 'revision' | 'takes_rest'> {
    const { config, place } = this.#file.file;
    const index = config.channels.findIndex((one) => one.id === id);
    if (index >= 0) {
      const { tree, default: defaults, alertmanager_file: brings = 'the configuration file' } = config.routing;
      return { origin: place(['channels', index]) || brings, revision: 0, takes_rest: tree === undefined && defaults.includes(id) };
    }
    const made = this.#made.get(id);
    return { origin: 'ui', revision: made?.revision ?? 0, takes_rest: made?.takesRest ?? false };
  }

  #open(file: FileChannels): FromFile {
    const { ways } = this.#deps;
    const { channels } = file.config;
    return { file, channels: openChannels(channels, ways), mailers: openMailers(channels, ways) };
  }

  #read({ slug: id, spec, revision }: Entity): Made {
    const { channel, takes_rest: takesRest } = spec as Kept;
    const base = { id, kind: String(channel['kind']), revision, takesRest };
    const config = openKept(this.#deps.secrets, id, channel);
    if (!config.ok) return { ...base, opened: { fault: config.error } };
    const one = openChannel(config.value, this.#madeWays);
    return { ...base, opened: { one, mailer: openMailers([config.value], this.#madeWays).get(id) } };
  }

  #take(row: Entity): void {
    this.#made = new Map([...this.#made, [row.slug, this.#read(row)] as const].sort(([a], [b]) => (a < b ? -1 : 1)));
    this.#changed();
  }

  #changed(): void {
    const { bus, clock, onChange } = this.#deps;
    this.#putInForce();
    onChange(this.#settings);
    bus.publish({ topic: 'notifications', type: 'channels.changed', atMs: clock.now(), data: null });
  }

  #putInForce(): void {
    const { file, channels: ofFile } = this.#file;
    const made = [...this.#made.values()].flatMap(({ id, takesRest, opened }) =>
      ofFile.has(id) || !('one' in opened) ? [] : [{ id, takesRest, one: opened.one }],
    );
    const rest = made.flatMap(({ id, takesRest }) => (takesRest ? [id] : []));
    const routing = withRest(file.config.routing, rest);
    this.#inForce = { channels: [...file.config.channels, ...made.map(({ one }) => one.config)], routing };
    this.#routed = createPolicyRouter(routing);
    this.#settings = {
      router: createRouter(routing),
      intervals: intervalsOf(routing),
      channels: new Map([...ofFile, ...made.map(({ id, one }) => [id, one] as const)]),
      externalUrl: this.#deps.externalUrl,
    };
  }
}

const notFound = (id: string): AppError => new AppError('not_found', CHANNEL_CODES.notFound, `there is no channel ${id}`);

/** Names the first field, lists all in `details`. */
function invalid(faults: readonly ChannelFault[]): AppError {
  const [first] = faults;
  const sentence = ({ field, message }: ChannelFault): string => (field === '' ? message : `${field}: ${message}`);
  const details = faults.map((fault) => ({ field: fault.field, message: sentence(fault) }));
  return new AppError('bad_input', CHANNEL_CODES.invalid, first === undefined ? 'invalid' : sentence(first), {
    ...(first === undefined || first.field === '' ? {} : { field: first.field }),
    details,
  });
}
