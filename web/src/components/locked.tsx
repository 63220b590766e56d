import { Button } from '@mantine/core';
import { useRefusal } from '../shell/session.tsx';
import type { AreaName, PermissionName } from '../api/wire.ts';

type LockedProps = {
  /** What stands on the button. */
  readonly word: string;
  readonly verb: PermissionName;
  readonly area: AreaName;
  /** Only who sees everything may use it. */
  readonly whole?: boolean;
};

/** The place of a control that the reader may not use, with the reason in words. */
export function Locked({ word, verb, area, whole = false }: LockedProps) {
  const reason = useRefusal(verb, area, whole);
  return (
    <div className="locked no-print">
      <Button variant="default" disabled>
        {word}
      </Button>
      {reason === undefined ? null : <p className="faint">{`${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`}</p>}
    </div>
  );
}
