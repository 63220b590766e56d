import '@fontsource-variable/inter/wght.css';
import '@fontsource-variable/jetbrains-mono/wght.css';
import './styles/tokens.css';
import './styles/elements.css';
import './styles/mantine.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/components.css';
import './styles/pages.css';
import './styles/contracts.css';
import './styles/channels.css';
import './styles/escalation.css';
import './styles/factors.css';
import './styles/home.css';
import './styles/on-call.css';
import './styles/objects.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';

/** After an upgrade the page's own parts have other names; the page comes back as the new version, but does not spin. */
const RELOADED_KEY = 'nines-reloaded-at';
const LEAST_BETWEEN_RELOADS_MS = 30_000;
window.addEventListener('vite:preloadError', (event) => {
  const before = Number(sessionStorage.getItem(RELOADED_KEY));
  if (Date.now() - before < LEAST_BETWEEN_RELOADS_MS) return;
  event.preventDefault();
  sessionStorage.setItem(RELOADED_KEY, String(Date.now()));
  window.location.reload();
});

const place = document.getElementById('root');
if (place === null) throw new Error('BUG: index.html has no #root');
createRoot(place).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
