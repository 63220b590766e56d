import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { timelineQuery } from '../api/queries.ts';
import type { ServiceView } from '../api/wire.ts';
import { lengthText } from '../figures/length.ts';
import { StateShape } from '../states/state-mark.tsx';
import { STATE_WORDS } from '../states/words.ts';
import { Strip } from '../timeline/strip.tsx';
import type { View } from '../timeline/view.ts';
import { useBoard } from './context.ts';
import { t } from '../language/t.ts';

const WIDTH = 640;
const HEIGHT = 18;
/** Lines of one panel; the list of services has all of them. */
const MOST = 50;
/** A line need not move more often. */
const STEPS = 300;

/** The exact states of services over the dashboard's stretch, one line each. */
export function ServiceLines({ services }: { readonly services: readonly ServiceView[] }) {
  const { view } = useBoard();
  const stepMs = Math.max(5_000, Math.round((view.toMs - view.fromMs) / STEPS));
  const toMs = Math.min(Date.now(), Math.floor(view.toMs / stepMs) * stepMs);
  const stretch = { fromMs: Math.min(toMs - 1_000, Math.floor(view.fromMs / stepMs) * stepMs), toMs };
  return (
    <>
      <ul className="service-lines">
        {services.slice(0, MOST).map((service) => (
          <Line key={service.id} service={service} view={stretch} />
        ))}
      </ul>
      {services.length > MOST ? (
        <p className="faint small">{t('the first {count} of {all}', { count: MOST, all: services.length })}</p>
      ) : null}
    </>
  );
}

function Line({ service: { id, name, state }, view }: { readonly service: ServiceView; readonly view: View }) {
  const { data } = useQuery(timelineQuery(id, view.fromMs, view.toMs));
  const parts =
    data === undefined
      ? []
      : (['down', 'degraded', 'unknown'] as const).flatMap((one) => {
          const lengthMs = data.buckets[`${one}_ms`];
          return lengthMs > 0 ? [`${STATE_WORDS[one]} ${lengthText(lengthMs)}`] : [];
        });
  const words = data === undefined ? t('reading') : parts.length === 0 ? t('up throughout') : parts.join(', ');
  return (
    <li>
      <Link to="/services/$id" params={{ id }} className="wrap">
        <StateShape state={state} /> {name}
      </Link>
      <span role="img" aria-label={`${name}: ${words}`} title={words}>
        {data === undefined ? null : <Strip intervals={data.intervals} view={view} width={WIDTH} height={HEIGHT} />}
      </span>
    </li>
  );
}
