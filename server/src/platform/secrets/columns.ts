/** Every column in which sealed texts stand, so that a rotation finds them all. `id` is the column that tells rows from others. */
export type SealedColumn = {
  readonly table: string;
  readonly id: string;
  readonly column: string;
  /** `text`: the whole value is one sealed text. `json`: some texts within it are. */
  readonly holds: 'text' | 'json';
};

export const SEALED_COLUMNS: readonly SealedColumn[] = [
  { table: 'agent_authority', id: 'id', column: 'private_key', holds: 'text' },
  { table: 'tls_authority', id: 'id', column: 'private_key', holds: 'text' },
  { table: 'notify_keys', id: 'id', column: 'secret', holds: 'text' },
  { table: 'embed_keys', id: 'id', column: 'secret', holds: 'text' },
  { table: 'status_keys', id: 'id', column: 'secret', holds: 'text' },
  { table: 'totp_factors', id: 'id', column: 'secret', holds: 'text' },
  { table: 'push_subscriptions', id: 'id', column: 'auth', holds: 'text' },
  { table: 'push_subscriptions', id: 'id', column: 'endpoint', holds: 'text' },
  { table: 'status_subscribers', id: 'id', column: 'address', holds: 'text' },
  { table: 'outbox', id: 'id', column: 'payload', holds: 'text' },
  { table: 'status_pages', id: 'id', column: 'spec', holds: 'json' },
  { table: 'entities', id: 'id', column: 'spec', holds: 'json' },
  { table: 'configuration_texts', id: 'id', column: 'sealed', holds: 'text' },
];
