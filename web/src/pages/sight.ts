/** Of what may be seen everything, or what is of these teams and satisfies these matchers. Pure. */
import { t } from '../language/t.ts';
export type Sight = { readonly teams: readonly string[]; readonly scope: string };

/** What somebody sees, or the holders of a role, in words. */
export const sightOf = ({ teams, scope }: Sight): string =>
  [
    ...(teams.length === 0
      ? []
      : [t('{count, plural, one {team} other {teams}} {names}', { count: teams.length, names: teams.join(', ') })]),
    ...(scope === '' ? [] : [scope]),
  ].join('; ') || t('everything');

/** The items of a text that are separated by commas or white space. */
export const itemsIn = (text: string): readonly string[] => text.split(/[\s,]+/).filter((item) => item !== '');
