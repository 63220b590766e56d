import { type HostSample, numberOf, sample, wordsOf } from './sample.ts';

/** `/proc/meminfo`: each line as `node_memory_<key>`, in bytes where the kernel tells kB. */
export function parseMeminfo(text: string): readonly HostSample[] {
  return text.split('\n').flatMap((line) => {
    const found = /^([^:]+):\s+(\d+)( kB)?$/.exec(line.trim());
    const value = numberOf(found?.[2]);
    if (found === null || value === undefined) return [];
    const key = (found[1] ?? '').replace('(', '_').replace(')', '');
    return [found[3] === undefined ? sample(`node_memory_${key}`, value) : sample(`node_memory_${key}_bytes`, value * 1024)];
  });
}

const VMSTAT = /^(oom_kill|pgpg|pswp|pg.*fault)/;

/** `/proc/vmstat`: paging, swapping, faults and kills for want of memory. */
export function parseVmstat(text: string): readonly HostSample[] {
  return text.split('\n').flatMap((line) => {
    const [key = '', amount] = wordsOf(line);
    const value = numberOf(amount);
    return value !== undefined && VMSTAT.test(key) ? [sample(`node_vmstat_${key}`, value)] : [];
  });
}

/** `/proc/sys/fs/file-nr`: open file descriptors of the whole system. */
export function parseFileNr(text: string): readonly HostSample[] {
  const [allocated, , maximum] = wordsOf(text).map(numberOf);
  if (allocated === undefined || maximum === undefined) return [];
  return [sample('node_filefd_allocated', allocated), sample('node_filefd_maximum', maximum)];
}
