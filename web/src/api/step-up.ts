/** Proof before administration: a request that is refused for want of one asks the person, once, and is sent again. */
import type { ProofKind } from '@nines/server/factors/contract.ts';

export type AskForProof = (kinds: readonly ProofKind[]) => Promise<boolean>;

let asker: AskForProof | undefined;
let asking: Promise<boolean> | undefined;

/** Who asks the person from now on; call what it returns to stop. */
export function onProofNeeded(ask: AskForProof): () => void {
  asker = ask;
  return () => {
    if (asker === ask) asker = undefined;
  };
}

/** Whether the person gave a proof. Requests at the same time share one question. */
export function askForProof(kinds: readonly ProofKind[]): Promise<boolean> {
  if (asker === undefined) return Promise.resolve(false);
  asking ??= asker(kinds).finally(() => (asking = undefined));
  return asking;
}
