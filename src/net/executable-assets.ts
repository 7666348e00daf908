import { homedir } from 'node:os';
import { getAsset, getRawAsset, isSea } from 'node:sea';
import { cacheDirectoryOf, type Packed, type PackedFile, type Part, packedDirectory, unpack } from './packed-files.ts';

/** The asset that lists the others: a JSON array of `PackedFile`. */
export const MANIFEST = 'manifest.json';

/** First argument of the executable when it is to be another process than the command line; the name of its entry and options of V8 follow. */
export const PROCESS_OPTION = '--outcry-process';

/** Whether this process runs from the single executable. */
export const isExecutable: boolean = isSea();

/** Has a part of the executable on the disk, and returns the root that its files lie below. Nothing else than the executable has parts. */
export function unpackExecutable(part: Part): string {
  const manifest = getAsset(MANIFEST, 'utf8');
  const packed: Packed = {
    files: JSON.parse(manifest) as PackedFile[],
    bytesOf: (sha256) => new Uint8Array(getRawAsset(sha256) as ArrayBuffer),
  };
  const directory = packedDirectory(cacheDirectoryOf(process.env, homedir()), manifest);
  unpack(packed, part, directory);
  return directory;
}
