import type { NativeLibrary } from '../native-check.ts';

/** What there is to know of a machine, gathered once and judged elsewhere. Text of the kernel is '' where the kernel has no such file. */
export interface MachineFacts {
  readonly nodeVersion: string;
  /** '' where the C library is another. */
  readonly glibcVersion: string;
  /** The WebSocket library, or why it does not load. */
  readonly native: NativeLibrary | string;
  /** Programs that Outcry calls and that are not there. */
  readonly missingPrograms: readonly string[];
  /** Hard limit; Node raises the soft one to it. */
  readonly openFilesMax: number;
  readonly coreFileMax: number;
  /** By name: those of 90-outcry.conf. */
  readonly sysctl: Readonly<Record<string, string>>;
  readonly conntrackMax: string;
  /** Distinct frequency governors of all CPUs; none where the machine has no say. */
  readonly governors: readonly string[];
  /** As the kernel shows it: `always [madvise] never`. */
  readonly transparentHugepages: string;
  readonly allowedCpus: readonly number[];
  /** CPUs of each NUMA node. */
  readonly numaNodes: readonly (readonly number[])[];
  readonly clockSource: string;
  /** Null where nothing on the machine tells. */
  readonly clockSynchronized: boolean | null;
  readonly swapMB: number;
  readonly overcommitMemory: string;
  /** What this process may have: the machine's, or less in a container. */
  readonly memoryMB: number;
  readonly disk: DiskFacts | string;
}

/** Of the data directory, or of the directory that it will be made in. */
export interface DiskFacts {
  readonly directory: string;
  readonly isMemory: boolean;
  readonly freeMB: number;
  /** Of writing 8 KB and waiting until they are on the disk, several times. */
  readonly syncMsMedian: number;
  readonly syncMsMax: number;
}
