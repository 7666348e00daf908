/**
 * Files that come inside the single executable and must lie on the disk to be loaded: code of threads, native addons, programs. They are taken out into a directory that is named by what is in it, and
 * held against their hashes at every start, so that what is run is what was built. Needs nothing but Node: it runs before anything else is there.
 */
import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** What is needed at every start, and what only by those who want it. */
export type Part = 'engine' | 'postgres';

export type PackedFile =
  | { readonly path: string; readonly part: Part; readonly sha256: string; readonly mode: number }
  /** A symbolic link. */
  | { readonly path: string; readonly part: Part; readonly link: string };

export interface Packed {
  readonly files: readonly PackedFile[];
  /** The packed bytes of a file, gzip, by its hash. */
  readonly bytesOf: (sha256: string) => Uint8Array;
}

/** Where packed files go, by the hash of their list. Raises an Error when others could change what is in it. */
export function packedDirectory(cacheDirectory: string, manifest: string): string {
  const directory = join(cacheDirectory, sha256Of(manifest).slice(0, 32));
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const each of [cacheDirectory, directory]) refuseOthers(each);
  return directory;
}

/** Below systemd what the unit gave it, otherwise where this user's caches are. */
export function cacheDirectoryOf(environment: Readonly<Record<string, string | undefined>>, home: string): string {
  const { CACHE_DIRECTORY, XDG_CACHE_HOME } = environment;
  return CACHE_DIRECTORY || join(XDG_CACHE_HOME || join(home, '.cache'), 'outcry');
}

/** Makes the files of a part what they should be; those that are so already are left alone. Several processes may do so at once. */
export function unpack({ files, bytesOf }: Packed, part: Part, directory: string): void {
  for (const file of files) {
    if (file.part !== part) continue;
    const path = join(directory, file.path);
    if (isRight(file, path)) continue;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // Aside and into place: whoever has the old one open keeps it, and nobody sees half of one.
    const aside = `${path}.${process.pid}`;
    rmSync(aside, { force: true });
    if ('link' in file) symlinkSync(file.link, aside);
    else writeFileSync(aside, gunzipSync(bytesOf(file.sha256)), { mode: file.mode, flag: 'wx' });
    renameSync(aside, path);
    if (!isRight(file, path)) throw new Error(`${path} is not what was written to it`);
  }
}

function isRight(file: PackedFile, path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  if ('link' in file) return stat.isSymbolicLink() && readlinkSync(path) === file.link;
  return stat.isFile() && (stat.mode & 0o777) === file.mode && sha256Of(readFileSync(path)) === file.sha256;
}

/** Somebody else who may write here could put another program in place of ours between the check and the start. */
function refuseOthers(directory: string): void {
  const stat = lstatSync(directory);
  const why = !stat.isDirectory()
    ? 'is no directory'
    : stat.uid !== process.getuid?.()
      ? `belongs to the user ${stat.uid}`
      : (stat.mode & 0o077) !== 0
        ? 'is open to other users (chmod 700)'
        : '';
  if (why !== '') throw new Error(`${directory} ${why}: nothing is run from it; XDG_CACHE_HOME names another place`);
}

export function sha256Of(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
