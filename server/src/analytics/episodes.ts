import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import { DAY_MS, MINUTE_MS } from '@nines/base/units.ts';
import type { Labels } from '@nines/model/labels.ts';
import { labelsKey, labelsOf, labelsToRecord } from '@nines/model/labels.ts';
import type { Sql } from '../platform/records/contract.ts';
import type { Episode, EpisodeChange } from './scoring.ts';
import { type StoredEpisode, openEpisodes, purgeEpisodes, saveEpisode } from './store.ts';

/** How often the end of an episode that goes on is written. */
const SAVE_EVERY_MS = MINUTE_MS;
/** An episode of a series that sends nothing any more ends. */
const ABANDONED_MS = DAY_MS;

type Deps = { readonly sql: Sql; readonly ids: Ids; readonly clock: Clock; readonly logger: Logger };

/** Episodes of watched series, in the state database: written when they begin and end, and once a minute while they go on. */
export class EpisodeBook {
  readonly #deps: Deps;
  readonly #open = new Map<string, { episode: StoredEpisode; dirty: boolean }>();
  #savedMs = Number.NEGATIVE_INFINITY;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async load(): Promise<void> {
    for (const episode of await openEpisodes(this.#deps.sql))
      this.#open.set(keyOf(episode.watch, labelsOf(episode.labels)), { episode, dirty: false });
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** The episode of a series that was open when the server stopped. */
  openOf(watch: string, labels: Labels): Episode | undefined {
    return this.#open.get(keyOf(watch, labels))?.episode;
  }

  async note(watch: string, labels: Labels, { kind, episode }: EpisodeChange): Promise<void> {
    const key = keyOf(watch, labels);
    const known = this.#open.get(key);
    const id = known?.episode.id ?? this.#deps.ids.uuid();
    const stored = { ...episode, id, watch, labels: labelsToRecord(labels), open: kind !== 'closed' };
    if (kind === 'closed') this.#open.delete(key);
    else this.#open.set(key, { episode: stored, dirty: kind === 'extended' });
    if (kind !== 'extended') await this.#save(stored);
  }

  /** As it is now, where what is written may be a minute old. */
  fresh(episode: StoredEpisode): StoredEpisode {
    const known = this.#open.get(keyOf(episode.watch, labelsOf(episode.labels)))?.episode;
    return known?.id === episode.id ? known : episode;
  }

  /** Writes what has changed since it was last written. */
  async flush(): Promise<void> {
    this.#savedMs = Number.NEGATIVE_INFINITY;
    await this.step(this.#deps.clock.now());
  }

  async step(nowMs: number): Promise<void> {
    if (nowMs - this.#savedMs < SAVE_EVERY_MS) return;
    this.#savedMs = nowMs;
    for (const [key, entry] of this.#open) {
      const isAbandoned = nowMs - entry.episode.toMs > ABANDONED_MS;
      if (!entry.dirty && !isAbandoned) continue;
      entry.dirty = false;
      if (isAbandoned) this.#open.delete(key);
      await this.#save({ ...entry.episode, open: !isAbandoned });
    }
    await purgeEpisodes(this.#deps.sql);
  }

  async #save(episode: StoredEpisode): Promise<void> {
    try {
      await saveEpisode(this.#deps.sql, episode);
    } catch (thrown) {
      this.#deps.logger.error('an episode was not saved', { watch: episode.watch, error: messageOf(thrown) });
    }
  }
}

const keyOf = (watch: string, labels: Labels): string => `${watch}\u0000${labelsKey(labels)}`;
