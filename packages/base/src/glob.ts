/** The pattern that matches what a glob means: `*` any text, `?` one character, everything else itself. For `compileRegex`, and for `=~` in a selector. */
export const globPattern = (glob: string): string =>
  glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
