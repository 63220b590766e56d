import { type AppendFile, type Disk, type HeldFile, type PageStore, StoreLocked } from '../contract.ts';
import { openPageFile } from '../page-store.ts';
import { unavailable } from '../unavailable.ts';

/**
 * A disk in memory with what a real one does to those who trust it: bytes not synced and names not synced are gone after
 * `crash`, and the power can be cut at every single write, before it, after it, or with half of it done.
 */
export type Cut = { readonly step: number; readonly how: 'before' | 'half' | 'after' };

export class PowerCut extends Error {
  readonly code = 'EIO';
}

type Inode = { now: Uint8Array; durable: Uint8Array };

const NOTHING = new Uint8Array(0);

const heldBytes = (name: string, bytes: Uint8Array): HeldFile => ({
  name,
  bytes: bytes.length,
  read: async (at, into) => {
    const part = bytes.subarray(at, at + into.length);
    into.set(part);
    return part.length;
  },
  release: async () => {},
});

export class FaultDisk implements Disk {
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #cut: Cut | undefined;
  #dead = false;
  #locked = false;
  /** The error code that writes fail with as long as it is set; a full disk takes half of each. */
  failWith: string | undefined;
  /** Writes so far: the places where a cut can fall. */
  steps = 0;
  readonly pageStore: PageStore;

  constructor() {
    const pages = openPageFile(':memory:');
    this.pageStore = {
      ...pages,
      // A transaction is whole or nothing, so half of it is nothing.
      commit: (change) => {
        try {
          this.#step(
            () => {},
            () => pages.commit(change),
          );
        } catch (thrown) {
          throw unavailable(thrown);
        }
      },
      close: () => {},
    };
  }

  cutAt(cut: Cut): void {
    this.#cut = cut;
  }

  /** What was not synced is gone; of unsynced bytes at a file's end a share may have reached the disk all the same. */
  crash(keepUnsynced = 0): void {
    for (const inode of new Set(this.#durableNames.values())) {
      const synced = inode.durable.length;
      const extra = inode.now.length > synced ? Math.floor((inode.now.length - synced) * keepUnsynced) : 0;
      inode.now = extra > 0 ? inode.now.slice(0, synced + extra) : inode.durable;
      inode.durable = inode.now;
    }
    this.#names = new Map(this.#durableNames);
    this.#cut = undefined;
    this.#dead = false;
    this.#locked = false;
  }

  /** Flips one bit of a file. */
  flip(name: string, at: number): void {
    const inode = this.#inode(name);
    const damaged = inode.now.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 0x10;
    inode.now = damaged;
    inode.durable = damaged;
  }

  async create(name: string): Promise<AppendFile> {
    const inode: Inode = { now: NOTHING, durable: NOTHING };
    this.#step(
      () => {},
      () => this.#names.set(name, inode),
    );
    return {
      append: async (bytes) => {
        const add = (count: number) => (): void => {
          const grown = new Uint8Array(inode.now.length + count);
          grown.set(inode.now);
          grown.set(bytes.subarray(0, count), inode.now.length);
          inode.now = grown;
        };
        this.#step(add(bytes.length >>> 1), add(bytes.length));
      },
      sync: async () => {
        this.#step(
          () => {},
          () => {
            inode.durable = inode.now;
          },
        );
      },
      // Giving space back works on a full disk.
      truncate: async (length) => {
        if (this.failWith === 'ENOSPC') inode.now = inode.now.slice(0, length);
        else
          this.#step(
            () => {},
            () => {
              inode.now = inode.now.slice(0, length);
            },
          );
      },
      close: async () => {},
    };
  }

  async read(name: string): Promise<Uint8Array> {
    return this.#inode(name).now.slice();
  }

  async hold(name: string): Promise<HeldFile> {
    return heldBytes(name, this.#inode(name).now);
  }

  async truncate(name: string, length: number): Promise<void> {
    const inode = this.#inode(name);
    this.#step(
      () => {},
      () => {
        inode.now = inode.now.slice(0, length);
        inode.durable = inode.now;
      },
    );
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step(
      () => {},
      () => {
        this.#names.set(to, this.#inode(from));
        this.#names.delete(from);
      },
    );
  }

  async remove(name: string): Promise<void> {
    this.#step(
      () => {},
      () => this.#names.delete(name),
    );
  }

  async list(): Promise<readonly string[]> {
    return [...this.#names.keys()];
  }

  async syncDirectory(): Promise<void> {
    this.#step(
      () => {},
      () => {
        this.#durableNames = new Map(this.#names);
      },
    );
  }

  lock(): void {
    if (this.#locked) throw new StoreLocked('memory');
    this.#locked = true;
  }

  async yield(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  close(): void {
    this.#locked = false;
  }

  #inode(name: string): Inode {
    const inode = this.#names.get(name);
    if (inode === undefined) throw new Error(`no file ${name}`);
    return inode;
  }

  #step(half: () => void, whole: () => void): void {
    if (this.#dead) throw new PowerCut('the power is off');
    if (this.failWith !== undefined) {
      if (this.failWith === 'ENOSPC') half();
      throw Object.assign(new Error(this.failWith), { code: this.failWith });
    }
    const step = this.steps++;
    if (this.#cut?.step !== step) {
      whole();
      return;
    }
    this.#dead = true;
    if (this.#cut.how === 'half') half();
    if (this.#cut.how === 'after') whole();
    throw new PowerCut('the power was cut');
  }
}
