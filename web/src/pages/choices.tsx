import { Checkbox } from '@mantine/core';

type Props = {
  readonly label: string;
  readonly all: readonly { readonly id: string; readonly name: string }[];
  readonly chosen: readonly string[];
  readonly onChange: (ids: readonly string[]) => void;
};

/** Any number of things out of a few. */
export function Choices({ label, all, chosen, onChange }: Props) {
  return (
    <Checkbox.Group label={label} value={[...chosen]} onChange={onChange}>
      <div className="choices">
        {all.map(({ id, name }) => (
          <Checkbox key={id} value={id} label={name} />
        ))}
      </div>
    </Checkbox.Group>
  );
}
