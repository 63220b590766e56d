import { MantineProvider } from '@mantine/core';
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { ApiProblem } from './api/problem.ts';
import { createPages } from './router.tsx';
import { colourSchemeManager, cssVariables, styleNonce, theme } from './theme.ts';

/** A refusal stays a refusal; only a server that cannot be reached or that stumbles is worth asking again. */
const MOST_TRIES = 2;

const client: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    // A session that ended is noticed by whatever asks first; the shell then leads to the sign-in.
    onError: (error, query) => {
      if (error instanceof ApiProblem && error.status === 401 && query.queryKey[0] !== 'session') {
        void client.invalidateQueries({ queryKey: ['session'] });
      }
    },
  }),
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
