/** The sets of rules that come with the product, by the word that switches one on. */
export const PACKS = ['default', 'platform', 'edge', 'ml', 'kubernetes', 'databases', 'certificates', 'backups', 'self'] as const;
export type PackName = (typeof PACKS)[number];
