/** How an address names what the audit log is about: `silences/7`, `oncall/schedules/platform`, a kind alone `silences` or `oncall/schedules/`. */
export type AuditObject = { readonly kind: string; readonly id: string | null };

/** A slash within an id is escaped, so that the last one parts kind and id. */
export function objectText({ kind, id }: AuditObject): string {
  if (id !== null) return `${kind}/${id.replaceAll('%', '%25').replaceAll('/', '%2F')}`;
  return kind.includes('/') ? `${kind}/` : kind;
}

/** What `objectText` wrote, or somebody typed. */
export function objectIn(text: string): AuditObject {
  const at = text.lastIndexOf('/');
  if (at < 0) return { kind: text, id: null };
  const id = text
    .slice(at + 1)
    .replaceAll('%2F', '/')
    .replaceAll('%25', '%');
  return { kind: text.slice(0, at), id: id === '' ? null : id };
}
