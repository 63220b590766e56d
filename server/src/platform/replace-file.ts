import type { Disk } from '@nines/tsdb/contract.ts';

/** Puts a file in the place of the one before. After a cut at any instant one of the two is there, whole. */
export async function replaceFile(disk: Disk, name: string, text: string): Promise<void> {
  const temporary = `${name}.tmp`;
  const file = await disk.create(temporary);
  try {
    await file.append(new TextEncoder().encode(text));
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, name);
  await disk.syncDirectory();
}
