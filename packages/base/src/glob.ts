/** The pattern that matches what a glob means: `*` any text, `?` one character, everything else itself. For `compileRegex`, and for `=~` in a selector. */
export const globPattern = (glob: string): string =>
  glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');

/** The pattern that matches `text` and nothing else, alone or inside of a longer one. */
export const literalPattern = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
