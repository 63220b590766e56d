import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { insightsQuery } from '../api/insights.ts';
import { mayIn } from '../api/permits.ts';
import { Section } from '../components/section.tsx';
import { useSession } from '../shell/session.tsx';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';

const MOST = 3;

/** The most important findings; nothing at all while there are none. */
export function HomeInsights() {
  const session = useSession();
  const query = useInfiniteQuery({ ...insightsQuery('open', undefined, MOST), enabled: mayIn(session, 'read', 'analytics') });
  const items = query.data?.pages[0]?.items ?? [];
  if (items.length === 0) return null;
  return (
    <Section title={t('Insights')} aside={<Link to="/analytics">{t('All of them')}</Link>}>
      <ul className="panel home-insights">
        {items.map(({ id, sentence, confidence, next }) => (
          <li key={id}>
            <span>{fromServer(sentence)}</span>
            <span className="faint">{`${fromServer(confidence.words)}${next.text === '' ? '' : ` · ${fromServer(next.text)}`}`}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
