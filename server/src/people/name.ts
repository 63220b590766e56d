/** A name is found however it is typed. */
export const keyOf = (name: string): string => name.normalize('NFKC').trim().toLowerCase();
