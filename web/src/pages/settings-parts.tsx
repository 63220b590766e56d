import { t } from '../language/t.ts';
import { useRefusal } from '../shell/session.tsx';
import { Cardinality } from './cardinality.tsx';
import { Channels } from './channels.tsx';
import { SettingsHead } from './settings-head.tsx';
import { Tokens } from './tokens.tsx';

export function TokensPage() {
  const refusal = useRefusal('administer', 'access');
  return (
    <div className="page settings">
      <SettingsHead title={t('API tokens')} lead={refusal ?? t('What programs show instead of a name and a password.')} />
      {refusal === undefined ? <Tokens /> : null}
    </div>
  );
}

export function ChannelsPage() {
  const refusal = useRefusal('read', 'notifications');
  return (
    <div className="page settings">
      <SettingsHead title={t('Channels')} lead={refusal ?? t('A test says at once whether a message would arrive.')} />
      {refusal === undefined ? <Channels /> : null}
    </div>
  );
}

export function SeriesPage() {
  const refusal = useRefusal('read', 'system');
  return (
    <div className="page settings">
      <SettingsHead title={t('Series')} lead={refusal ?? t('How many there are, which metrics have the most, and what limits them.')} />
      {refusal === undefined ? <Cardinality /> : null}
    </div>
  );
}
