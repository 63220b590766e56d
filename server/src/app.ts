import { type AppOptions, openParts } from './parts.ts';
import { type App, serve } from './serve.ts';

/** Builds the whole product. What was built is torn down again, in reverse order, when a later part fails or at the end. */
export async function createApp(options: AppOptions): Promise<App> {
  const stack = new AsyncDisposableStack();
  try {
    return await serve(await openParts(options, stack), options, stack);
  } catch (thrown) {
    await stack.disposeAsync();
    throw thrown;
  }
}
