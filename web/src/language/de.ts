import alerts from './de/alerts.json' with { type: 'json' };
import analytics from './de/analytics.json' with { type: 'json' };
import channels from './de/channels.json' with { type: 'json' };
import policies from './de/policies.json' with { type: 'json' };
import incidents from './de/incidents.json' with { type: 'json' };
import components from './de/components.json' with { type: 'json' };
import dashboards from './de/dashboards.json' with { type: 'json' };
import deployments from './de/deployments.json' with { type: 'json' };
import editor from './de/editor.json' with { type: 'json' };
import embeds from './de/embeds.json' with { type: 'json' };
import figures from './de/figures.json' with { type: 'json' };
import grafana from './de/grafana.json' with { type: 'json' };
import home from './de/home.json' with { type: 'json' };
import objects from './de/objects.json' with { type: 'json' };
import oncall from './de/oncall.json' with { type: 'json' };
import pages from './de/pages.json' with { type: 'json' };
import shared from './de/shared.json' with { type: 'json' };
import shell from './de/shell.json' with { type: 'json' };
import sla from './de/sla.json' with { type: 'json' };
import states from './de/states.json' with { type: 'json' };
import timeline from './de/timeline.json' with { type: 'json' };
import widgets from './de/widgets.json' with { type: 'json' };
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
