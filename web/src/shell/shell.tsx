import { useMediaQuery } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { Link, Navigate, Outlet, useLocation, useRouter, useSearch } from '@tanstack/react-router';
import { Suspense, lazy, useCallback, useEffect, useRef, useState } from 'react';
import { useSignOut } from '../api/actions.ts';
import { LiveProvider, useLive } from '../api/live.tsx';
import { ApiProblem } from '../api/problem.ts';
import { alertCountsQuery } from '../api/alerts.ts';
import { mayIn } from '../api/permits.ts';
import { sessionQuery } from '../api/queries.ts';
import { TimeZoneNote } from '../components/instant.tsx';
import { ErrorNotice } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { Icon } from './icons.tsx';
import { KeyOverlay } from './key-overlay.tsx';
import { FIRST, type Place, REST } from './places.ts';
import { RecoveryNotice } from './recovery-notice.tsx';
import { SessionContext, useSession } from './session.tsx';
import { NotPermitted } from './not-permitted.tsx';
import { holdTyping } from './typed-ahead.ts';
import { useKeyboard } from './use-keyboard.ts';
import { StepUpDialog } from './step-up.tsx';
import { ShownNotices } from './shown-notices.tsx';

const Palette = lazy(async () => ({ default: (await import('../palette/palette.tsx')).Palette }));
const EnrolPage = lazy(async () => ({ default: (await import('../pages/enrol.tsx')).EnrolPage }));

/** The frame of every page behind the sign-in: who uses it, the live stream, navigation, keyboard. */
export function Shell() {
  const session = useQuery(sessionQuery());
  // Stays until the recovery codes were kept, though the session may be read again meanwhile and need nothing any more.
  const [enrolling, setEnrolling] = useState(false);
  if (session.isPending) return <div className="centre" aria-busy="true" />;
  const { error, data } = session;
  if (error instanceof ApiProblem && error.status === 401) return <SignInFirst wasSignedIn={data !== undefined} />;
  // Who uses the page is known from before when the server cannot be reached for a moment.
  if (data === undefined) {
    return (
      <main className="centre">
        <ErrorNotice error={error} retry={() => void session.refetch()} />
      </main>
    );
  }
  if (data.factor_needed && !enrolling) setEnrolling(true);
  if (enrolling) {
    return (
      <Suspense fallback={<div className="centre" aria-busy="true" />}>
        <EnrolPage session={data} onDone={() => setEnrolling(false)} />
      </Suspense>
    );
  }
  return (
    <SessionContext value={data}>
      <LiveProvider>
        <Frame />
      </LiveProvider>
    </SessionContext>
  );
}

/** To the sign-in, and from there back to where the person was. After a session that ended by a fresh page: nothing that was read stays in memory. */
function SignInFirst({ wasSignedIn }: { readonly wasSignedIn: boolean }) {
  const router = useRouter();
  // Where the person was when this began: while the sign-in is loaded the address is its own already, and would be led back to for ever.
  const [{ search, href }] = useState(() => {
    const here = router.state.location.href;
    const search = here === '/' ? {} : { next: here };
    return { search, href: router.buildLocation({ to: '/login', search }).href };
  });
  useEffect(() => {
    if (wasSignedIn) window.location.replace(href);
  }, [wasSignedIn, href]);
  return wasSignedIn ? null : <Navigate to="/login" search={search} />;
}

function Frame() {
  const [help, setHelp] = useState(false);
  const openHelp = useCallback(() => setHelp(true), []);
  const [finding, setFinding] = useState(false);
  const find = useCallback(() => setFinding(true), []);
  useEffect(() => (finding ? holdTyping(() => setFinding(false)) : undefined), [finding]);
  const { kiosk } = useSearch({ strict: false });
  useKeyboard(openHelp, find);
  useFocusOnPage();
  useLanding();
  return (
    <div className={kiosk === 1 ? 'shell kiosk' : 'shell'}>
      <a className="skip-link" href="#main">
        {t('Skip to the page')}
      </a>
      <Side onHelp={openHelp} onFind={find} />
      <div>
        <main id="main" tabIndex={-1}>
          <RecoveryNotice />
          <Page />
        </main>
        <footer className="page-foot">
          <TimeZoneNote />
          <LiveNote />
        </footer>
      </div>
      <ShownNotices />
      <StepUpDialog />
      <KeyOverlay opened={help} onClose={() => setHelp(false)} />
      {finding ? (
        <Suspense fallback={null}>
          <Palette onClose={() => setFinding(false)} />
        </Suspense>
      ) : null}
    </div>
  );
}

/** The page, when the reader's role includes it. */
function Page() {
  const path = useLocation({ select: (location) => location.pathname });
  const session = useSession();
  // Statements have addresses of their own.
  const head = path.startsWith('/statements/') ? '/slas' : `/${path.split('/')[1] ?? ''}`;
  const entry = [...FIRST, ...REST].find(({ to }) => to === head);
  if (entry?.area === undefined || mayIn(session, 'read', entry.area)) return <Outlet />;
  return <NotPermitted word={entry.word} area={entry.area} />;
}

/** After going to another page the focus is at its beginning, for the keyboard and for screen readers. */
function useFocusOnPage(): void {
  const path = useLocation({ select: (location) => location.pathname });
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) document.getElementById('main')?.focus({ preventScroll: true });
    first.current = false;
  }, [path]);
}

/** Where this page was opened is looked at once, whatever is navigated to later. */
let entered = false;

/** Whoever opens the bare address begins at the page of their role, or at the one they chose; a reload stays where it was. */
function useLanding(): void {
  const { history, state } = useRouter();
  const { landing } = useSession();
  useEffect(() => {
    const isFirst = !entered;
    entered = true;
    const [opened] = performance.getEntriesByType('navigation');
    const isReload = opened instanceof PerformanceNavigationTiming && opened.type !== 'navigate';
    if (isFirst && !isReload && state.location.href === '/' && landing !== '/') history.replace(landing);
  }, [history, landing, state.location.href]);
}

type SideProps = { readonly onHelp: () => void; readonly onFind: () => void };

function FindButton({ onFind }: Pick<SideProps, 'onFind'>) {
  return (
    <button type="button" className="side-search" onClick={onFind}>
      {t('Find anything')}
      <kbd>Ctrl K</kbd>
    </button>
  );
}

/** On a phone the inbox comes first: that is what one is called for. */
const inOrder = (places: readonly Place[], narrow: boolean): readonly Place[] =>
  narrow ? places.toSorted((a, b) => Number(b.to === '/alerts-dashboard') - Number(a.to === '/alerts-dashboard')) : places;

function Side({ onHelp, onFind }: SideProps) {
  const narrow = useMediaQuery('(max-width: 760px)') === true;
  const [more, setMore] = useState(false);
  const close = useCallback(() => setMore(false), []);
  const session = useSession();
  const isOpen = ({ area }: Place): boolean => area === undefined || mayIn(session, 'read', area);
  return (
    <nav
      className="side"
      aria-label={t('Pages')}
      onKeyDown={({ key }) => {
        if (key === 'Escape') close();
      }}
    >
      <Link to="/" className="brand" aria-label={t('Nines, overview')}>
        <Brand />
        Nines
      </Link>
      <FindButton onFind={onFind} />
      <ul className="nav">
        {inOrder(FIRST.filter(isOpen), narrow).map((entry) => (
          <NavItem key={entry.to} entry={entry} onGo={close} />
        ))}
        <li className="nav-more">
          <button type="button" aria-expanded={more} aria-controls="more-pages" onClick={() => setMore(!more)}>
            <Icon name="more" />
            <span>{t('More')}</span>
          </button>
        </li>
      </ul>
      <div id="more-pages" className={more ? 'side-rest open' : 'side-rest'}>
        <FindButton
          onFind={() => {
            close();
            onFind();
          }}
        />
        <ul className="nav">
          {REST.filter(isOpen).map((entry) => (
            <NavItem key={entry.to} entry={entry} onGo={close} />
          ))}
        </ul>
        <SideFoot onHelp={onHelp} />
      </div>
    </nav>
  );
}

function NavItem({ entry: { to, word, icon }, onGo }: { readonly entry: Place; readonly onGo: () => void }) {
  return (
    <li>
      <Link to={to} activeOptions={{ exact: to === '/' }} onClick={onGo}>
        <Icon name={icon} />
        <span>{word}</span>
        {to === '/alerts-dashboard' ? <FiringCount /> : null}
      </Link>
    </li>
  );
}

function FiringCount() {
  const counts = useQuery(alertCountsQuery({}));
  const firing = counts.data?.firing ?? 0;
  if (firing === 0) return null;
  return (
    <span className="nav-count">
      {firing}
      <span className="sr-only">{` ${t('firing')}`}</span>
    </span>
  );
}

function SideFoot({ onHelp }: { readonly onHelp: () => void }) {
  const { actor, open, scope } = useSession();
  const signOut = useSignOut();
  return (
    <div className="side-foot">
      <span>{open ? t('No sign-in: everyone may do everything') : `${actor.name}, ${actor.role}`}</span>
      {scope === '' ? null : <span>{t('You see what has {scope}', { scope })}</span>}
      {actor.kind === 'user' ? (
        <button type="button" className="plain-button" onClick={() => signOut.mutate()}>
          {t('Sign out')}
        </button>
      ) : null}
      <button type="button" className="plain-button" onClick={onHelp}>
        {t('Keyboard ( ? )')}
      </button>
    </div>
  );
}

const LIVE_WORDS = { connecting: t('Connecting'), live: t('Live'), offline: t('Not live: trying again') } as const;

function LiveNote() {
  const state = useLive();
  return (
    <span className="live" role="status">
      <svg width="8" height="8" aria-hidden="true">
        <circle cx="4" cy="4" r="3" fill={state === 'live' ? 'currentColor' : 'none'} stroke="currentColor" strokeWidth="1.5" />
      </svg>
      {LIVE_WORDS[state]}
    </span>
  );
}

/** Three bars that stand and one that is spent: the product's mark, in ink. */
export function Brand() {
  return (
    <svg width="20" height="20" viewBox="0 0 20 20" fill="none" strokeWidth="2.4" strokeLinecap="round" aria-hidden="true">
      <path d="M3 16V4M8 16V4M13 16V4" stroke="var(--ink)" />
      <path d="M18 16v-4" stroke="var(--ink-faint)" />
    </svg>
  );
}
