import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOverheard, serverConfig } from './server-config.ts';

test('attack: who listens on the network hears passwords, unless TLS is spoken here or in front', () => {
  const overheard = (config: object): boolean => isOverheard(serverConfig.parse(config));
  const open = { listen: '0.0.0.0:7070' };
  assert.deepEqual(
    [
      overheard({}),
      overheard({ listen: '[::1]:7070' }),
      overheard(open),
      overheard({ listen: '[::]:7070' }),
      overheard({ listen: '10.0.0.7:7070' }),
      overheard({ ...open, base_url: 'http://nines.example.org' }),
      overheard({ ...open, base_url: 'https://nines.example.org' }),
      overheard({ ...open, tls: 'auto' }),
    ],
    [false, false, true, true, true, true, false, false],
  );
});
