import { useShownNotices } from '../api/live.tsx';
import { t } from '../language/t.ts';

/** What channels of the kind `dashboard` told since the page was opened, newest last; each stays until it is closed. */
export function ShownNotices() {
  const { notices, close } = useShownNotices();
  return (
    <div className="shown-notices" role="log" aria-label={t('Notices')} aria-live="assertive">
      {notices.map((notice) => (
        <section key={notice.id} className={`panel panel-pad shown-notice ${notice.status}`}>
          <strong>{notice.title}</strong>
          <ul>
            {notice.lines.map((line) => (
              <li key={line.url + line.sentence}>
                <a href={new URL(line.url, window.location.href).pathname + new URL(line.url, window.location.href).search}>
                  {line.sentence}
                </a>
              </li>
            ))}
          </ul>
          {notice.more === '' ? null : <p className="soft">{notice.more}</p>}
          <button type="button" className="plain-button" onClick={() => close(notice.id)}>
            {t('Close')}
          </button>
        </section>
      ))}
    </div>
  );
}
