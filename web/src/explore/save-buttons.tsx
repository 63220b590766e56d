import { Button } from '@mantine/core';

/** What is shown, as a file. */
export function SaveButtons({ onCsv, onJson }: { readonly onCsv: () => void; readonly onJson: () => void }) {
  return (
    <div className="row-wrap">
      <Button size="xs" variant="default" onClick={onCsv}>
        CSV
      </Button>
      <Button size="xs" variant="default" onClick={onJson}>
        JSON
      </Button>
    </div>
  );
}
