// Runs before the first paint so that a dark page never flashes white. The key is the one `theme.ts` stores under.
(function () {
  let chosen = null;
  try {
    if (localStorage.getItem('nines-density') === 'compact') document.documentElement.dataset.density = 'compact';
    chosen = localStorage.getItem('nines-colour-scheme');
  } catch {
    // Storage may be refused; the system's choice stands.
  }
  const dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
