import { useRefusal } from '../shell/session.tsx';
import { Cardinality } from './cardinality.tsx';
import { Channels } from './channels.tsx';
import { SettingsHead } from './settings-head.tsx';
import { Tokens } from './tokens.tsx';

export function TokensPage() {
  const refusal = useRefusal('administer', 'access');
  return (
    <div className="page settings">
      <SettingsHead title="API tokens" lead={refusal ?? 'What programs show instead of a name and a password.'} />
      {refusal === undefined ? <Tokens /> : null}
    </div>
  );
}

export function ChannelsPage() {
  const refusal = useRefusal('read', 'notifications');
  return (
    <div className="page settings">
      <SettingsHead title="Channels" lead={refusal ?? 'A test says at once whether a message would arrive.'} />
      {refusal === undefined ? <Channels /> : null}
    </div>
  );
}

export function SeriesPage() {
  const refusal = useRefusal('read', 'system');
  return (
    <div className="page settings">
      <SettingsHead title="Series" lead={refusal ?? 'How many there are, which metrics have the most, and what limits them.'} />
      {refusal === undefined ? <Cardinality /> : null}
    </div>
  );
}
