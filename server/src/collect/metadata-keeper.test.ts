import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, epochMs } from '@nines/base/units.ts';
import { forEachDatabase } from '../../../test/harness/databases.ts';
import { createMetadataBook } from './metadata-book.ts';
import { createMetadataKeeper } from './metadata-keeper.ts';

const NOW = epochMs(1_760_000_000_000);

forEachDatabase((_kind, open) => {
  test('what was said of metrics is known after a restart, with everything beside type, help and unit', async (t) => {
    const { db } = await open(t);
    const book = createMetadataBook();
    const keeper = createMetadataKeeper({ sql: db.kysely, book });
    await keeper.load(NOW);
    const described = {
      type: 'counter',
      help: 'Orders "taken"\\n',
      unit: 'orders',
      category: 'business',
      attributes: { owner: 'shop', tier: 1 },
    } as const;
    book.record('orders', described, 'push');
    for (let i = 0; i < 1_200; i++) book.record(`m${i}`, { type: 'gauge', help: '', unit: '' }, 'scrape:j');
    await keeper.save(NOW);
    book.record('orders', { ...described, help: 'Orders.' }, 'push');
    await keeper.save(NOW);
    const next = createMetadataBook();
    await createMetadataKeeper({ sql: db.kysely, book: next }).load(NOW);
    assert.deepEqual(new Map(next.entries()), new Map([...book.entries()].sort(([a], [b]) => (a < b ? -1 : 1))));
    assert.equal(next.get('orders')?.help, 'Orders.');
  });

  test('what nobody says any more is forgotten in the end, what is still said is not', async (t) => {
    const { db } = await open(t);
    const book = createMetadataBook();
    const keeper = createMetadataKeeper({ sql: db.kysely, book });
    const gauge = { type: 'gauge', help: 'h', unit: '' } as const;
    book.record('gone', gauge, 's');
    book.record('kept', gauge, 's');
    await keeper.save(NOW);
    for (let day = 1; day <= 40; day++) {
      book.record('kept', gauge, 's');
      await keeper.save(epochMs(NOW + day * DAY_MS));
    }
    const next = createMetadataBook();
    await createMetadataKeeper({ sql: db.kysely, book: next }).load(epochMs(NOW + 40 * DAY_MS));
    assert.deepEqual(
      [...next.entries()].map(([family]) => family),
      ['kept'],
    );
  });

  test('what could not be saved is saved the next time', async (t) => {
    const { db } = await open(t);
    const book = createMetadataBook();
    let refuses = true;
    const sql = new Proxy(db.kysely, {
      get: (of, name: keyof typeof db.kysely) => {
        if (name === 'insertInto' && refuses) throw new Error('disk full');
        const value: unknown = of[name];
        return typeof value === 'function' ? value.bind(of) : value;
      },
    });
    const keeper = createMetadataKeeper({ sql, book });
    book.record('m', { type: 'gauge', help: 'h', unit: '' }, 's');
    await assert.rejects(keeper.save(NOW), /disk full/);
    refuses = false;
    await keeper.save(NOW);
    const next = createMetadataBook();
    await createMetadataKeeper({ sql: db.kysely, book: next }).load(NOW);
    assert.equal(next.get('m')?.help, 'h');
  });
});
