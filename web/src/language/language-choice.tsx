import { SegmentedControl } from '@mantine/core';
import { LANGUAGES, choose, isLanguage, language } from './language.ts';
import { t } from './t.ts';

/** Each language by its own name, so that one who reads no other finds it. */
export function LanguageChoice() {
  return (
    <SegmentedControl
      aria-label={t('Language')}
      data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
      value={language}
      onChange={(chosen) => {
        if (isLanguage(chosen)) choose(chosen);
      }}
    />
  );
}
