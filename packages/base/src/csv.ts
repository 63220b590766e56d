/**
 * Rows as RFC 4180: CRLF after each, fields quoted where they must be. A field that begins with `=`, `+`, `-` or `@`, also as wide as a
 * Chinese character or behind quotes, spaces and what is not shown, would be run as a formula by spreadsheets and gets an apostrophe in front; numbers stay
 * as they are.
 */
export const csvText = (rows: readonly (readonly string[])[]): string => rows.map((row) => `${row.map(fieldOf).join(',')}\r\n`).join('');

function fieldOf(text: string): string {
  const safe = FORMULA.test(text) && !SIGNED_NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const FORMULA = /^[\s"'\0\u{feff}]*[=+\-@\t\r\0\u{feff}＝＋－＠]/u;
const SIGNED_NUMBER = /^[+-](Inf|\d+(\.\d+)?(e[+-]?\d+)?)$/i;
