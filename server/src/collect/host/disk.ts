import { type HostSample, numberOf, sample, wordsOf } from './sample.ts';

/** Parts of disks and devices without hardware; node_exporter leaves out the same. */
const IGNORED_DEVICES = /^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$/;
/** A sector of the kernel's statistics, whatever the disk's own sector is. */
const SECTOR_BYTES = 512;

/** Name and scale of the columns of `/proc/diskstats` after the device, in order. */
const COLUMNS: readonly (readonly [name: string, scale: number])[] = [
  ['node_disk_reads_completed_total', 1],
  ['node_disk_reads_merged_total', 1],
  ['node_disk_read_bytes_total', SECTOR_BYTES],
  ['node_disk_read_time_seconds_total', 0.001],
  ['node_disk_writes_completed_total', 1],
  ['node_disk_writes_merged_total', 1],
  ['node_disk_written_bytes_total', SECTOR_BYTES],
  ['node_disk_write_time_seconds_total', 0.001],
  ['node_disk_io_now', 1],
  ['node_disk_io_time_seconds_total', 0.001],
  ['node_disk_io_time_weighted_seconds_total', 0.001],
  ['node_disk_discards_completed_total', 1],
  ['node_disk_discards_merged_total', 1],
  ['node_disk_discarded_sectors_total', 1],
  ['node_disk_discard_time_seconds_total', 0.001],
  ['node_disk_flush_requests_total', 1],
  ['node_disk_flush_requests_time_seconds_total', 0.001],
];

/** `/proc/diskstats`, whole disks only. */
export function parseDiskstats(text: string): readonly HostSample[] {
  return text.split('\n').flatMap((line) => {
    const [, , device, ...figures] = wordsOf(line);
    if (device === undefined || IGNORED_DEVICES.test(device)) return [];
    return COLUMNS.flatMap(([name, scale], i) => {
      const value = numberOf(figures[i]);
      // Divided where a thousandth is meant, so that 1204 ms are 1.204 s and not 1.2040000000000002 s.
      return value === undefined ? [] : [sample(name, scale < 1 ? value / Math.round(1 / scale) : value * scale, 'device', device)];
    });
  });
}

export type Mount = { readonly device: string; readonly mountpoint: string; readonly fstype: string; readonly readonly: boolean };

const IGNORED_MOUNTS = /^\/(dev|proc|run\/credentials\/.+|sys|var\/lib\/docker\/.+|var\/lib\/containers\/storage\/.+)($|\/)/;
const IGNORED_TYPES =
  /^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs)$/;

/** `/proc/self/mounts`: what holds files. The root is kept whatever its type, since a container's root is an overlay. */
export function parseMounts(text: string): readonly Mount[] {
  const mounts = new Map<string, Mount>();
  for (const line of text.split('\n')) {
    const [device, place, fstype, options] = line.split(' ');
    if (device === undefined || place === undefined || fstype === undefined || options === undefined) continue;
    const mountpoint = unescapePath(place);
    if (mountpoint !== '/' && (IGNORED_MOUNTS.test(mountpoint) || IGNORED_TYPES.test(fstype))) continue;
    // What was mounted last hides what was there before.
    mounts.set(mountpoint, { device: unescapePath(device), mountpoint, fstype, readonly: options.split(',').includes('ro') });
  }
  return [...mounts.values()];
}

/** Blanks and backslashes of paths stand there as octal. */
const unescapePath = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** What `statfs` tells, in its own words; `undefined` when it failed or has not answered. */
export type FilesystemSize = {
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
};

export function filesystemSamples(mount: Mount, size: FilesystemSize | undefined): readonly HostSample[] {
  const labels = ['device', mount.device, 'fstype', mount.fstype, 'mountpoint', mount.mountpoint];
  const failed = sample('node_filesystem_device_error', size === undefined ? 1 : 0, ...labels);
  const readonly = sample('node_filesystem_readonly', mount.readonly ? 1 : 0, ...labels);
  if (size === undefined) return [failed, readonly];
  return [
    failed,
    readonly,
    sample('node_filesystem_size_bytes', size.blocks * size.bsize, ...labels),
    sample('node_filesystem_free_bytes', size.bfree * size.bsize, ...labels),
    sample('node_filesystem_avail_bytes', size.bavail * size.bsize, ...labels),
    sample('node_filesystem_files', size.files, ...labels),
    sample('node_filesystem_files_free', size.ffree, ...labels),
  ];
}
