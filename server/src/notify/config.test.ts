import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channelsConfig } from './config.ts';

const accepts = (addresses: object): boolean =>
  channelsConfig.safeParse([
    { id: 'mail', kind: 'email', host: 'smtp.example.org', from: 'a@example.org', to: 'b@example.org', ...addresses },
  ]).success;

test('a mail address has one line and a host, so that it cannot become another header or recipient', () => {
  for (const good of ['ops@example.org', 'Ops <ops@example.org>', '"Ops, nights" <ops@localhost>', 'nines@host'])
    assert.equal(accepts({ from: good, to: [good] }), true, good);
  for (const bad of ['', 'ops', '@', 'a@b\r\nBcc: c@d', 'a@\nb', 'a b@'])
    for (const key of ['from', 'to']) assert.equal(accepts({ [key]: bad }), false, `${key} ${JSON.stringify(bad)}`);
});
