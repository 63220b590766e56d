import { TextInput } from '@mantine/core';
import { t } from '../language/t.ts';

/** As it is typed: several teams with commas between. */
type TypedSight = { readonly teams: string; readonly scope: string };

/** What somebody sees: teams, and matchers on labels. Both empty: everything. */
export function SightFields({ teams, scope, set }: TypedSight & { readonly set: (change: Partial<TypedSight>) => void }) {
  return (
    <>
      <TextInput
        label={t('Sees teams')}
        description={t('Empty: all; several with commas')}
        placeholder="shop, pay"
        value={teams}
        onChange={(event) => set({ teams: event.currentTarget.value })}
      />
      <TextInput
        label={t('Sees labels')}
        description={t('Empty: all; matchers as in PromQL')}
        placeholder={'env="prod"'}
        classNames={{ input: 'mono' }}
        value={scope}
        onChange={(event) => set({ scope: event.currentTarget.value })}
      />
    </>
  );
}
