/** Source of identities. The real one lives in `server/src/platform/ids.ts`; tests bring one that counts. */
export interface Ids {
  /** A UUIDv7 (RFC 9562): unique, sortable by its millisecond. */
  uuid(): string;
  /** `bytes` random bytes as base64url without padding. */
  secret(bytes: number): string;
}
