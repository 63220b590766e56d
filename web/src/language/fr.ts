import alerts from './fr/alerts.json' with { type: 'json' };
import analytics from './fr/analytics.json' with { type: 'json' };
import channels from './fr/channels.json' with { type: 'json' };
import policies from './fr/policies.json' with { type: 'json' };
import incidents from './fr/incidents.json' with { type: 'json' };
import components from './fr/components.json' with { type: 'json' };
import dashboards from './fr/dashboards.json' with { type: 'json' };
import deployments from './fr/deployments.json' with { type: 'json' };
import editor from './fr/editor.json' with { type: 'json' };
import embeds from './fr/embeds.json' with { type: 'json' };
import figures from './fr/figures.json' with { type: 'json' };
import grafana from './fr/grafana.json' with { type: 'json' };
import home from './fr/home.json' with { type: 'json' };
import objects from './fr/objects.json' with { type: 'json' };
import oncall from './fr/oncall.json' with { type: 'json' };
import pages from './fr/pages.json' with { type: 'json' };
import shared from './fr/shared.json' with { type: 'json' };
import shell from './fr/shell.json' with { type: 'json' };
import sla from './fr/sla.json' with { type: 'json' };
import states from './fr/states.json' with { type: 'json' };
import timeline from './fr/timeline.json' with { type: 'json' };
import widgets from './fr/widgets.json' with { type: 'json' };
import type { Catalogue } from './language.ts';

/** One file for each room of `web/src`; what several rooms say is in `shared`. */
export const catalogue: Catalogue = {
  ...alerts,
  ...analytics,
  ...channels,
  ...policies,
  ...incidents,
  ...components,
  ...dashboards,
  ...deployments,
  ...editor,
  ...embeds,
  ...figures,
  ...grafana,
  ...home,
  ...objects,
  ...oncall,
  ...pages,
  ...shared,
  ...shell,
  ...sla,
  ...states,
  ...timeline,
  ...widgets,
};
