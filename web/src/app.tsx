import { MantineProvider } from '@mantine/core';
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { ApiProblem } from './api/problem.ts';
import { createPages } from './router.tsx';
import { colourSchemeManager, cssVariables, styleNonce, theme } from './theme.ts';

/** A refusal stays a refusal; only a server that cannot be reached or that stumbles is worth asking again. */
const MOST_TRIES = 2;

/** A session that ended is noticed by whatever asks or acts first; the shell then leads to the sign-in. */
function askWhoItIs(error: Error): void {
  if (error instanceof ApiProblem && error.status === 401) void client.invalidateQueries({ queryKey: ['session'] });
}

const client: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      if (query.queryKey[0] !== 'session') askWhoItIs(error);
    },
  }),
  mutationCache: new MutationCache({ onError: askWhoItIs }),
  defaultOptions: {
    // The server is often this machine or one beside it: what the browser believes about the Internet says nothing about it.
    mutations: { networkMode: 'always' },
    queries: {
      networkMode: 'always',
      staleTime: 2_000,
      retry: (tries, error) => tries < MOST_TRIES && error instanceof ApiProblem && (error.status === 0 || error.status >= 500),
    },
  },
});
const router = createPages();

export function App() {
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      colorSchemeManager={colourSchemeManager}
      cssVariablesResolver={cssVariables}
      getStyleNonce={styleNonce}
    >
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}
