/** The languages of the pages, and which one this browser reads. English is written in the code; the others are catalogues. */
export const LANGUAGES = { en: 'English', de: 'Deutsch', fr: 'Français' } as const;
export type Language = keyof typeof LANGUAGES;

/** English text, as it stands in the code, to the text of another language. */
export type Catalogue = Readonly<Record<string, string>>;

const STORED_KEY = 'nines-language';

export const isLanguage = (word: string | null | undefined): word is Language => typeof word === 'string' && Object.hasOwn(LANGUAGES, word);

/** What was chosen here, else the first language of the browser that there is, else English. */
export function languageOf(chosen: string | null, preferred: readonly string[]): Language {
  if (isLanguage(chosen)) return chosen;
  for (const tag of preferred) {
    const [language] = tag.toLowerCase().split('-');
    if (isLanguage(language)) return language;
  }
  return 'en';
}

/** Tests of texts and rules run where there is no page; they read English. */
const hasPage = typeof document !== 'undefined';

function stored(): string | null {
  try {
    return localStorage.getItem(STORED_KEY);
  } catch {
    // Storage may be refused; the browser's languages stand.
    return null;
  }
}

/** The language of this page from its first word to its last: another one begins with a fresh page. */
export const language: Language = hasPage ? languageOf(stored(), navigator.languages) : 'en';
if (hasPage) document.documentElement.lang = language;

/** From now on this browser reads `chosen`; the page is loaded anew in it. Where storage is refused the page stays as it is. */
export function choose(chosen: Language): void {
  try {
    localStorage.setItem(STORED_KEY, chosen);
  } catch {
    return;
  }
  window.location.reload();
}
