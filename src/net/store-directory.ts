import { join } from 'node:path';
import { OutcryError } from '../core/errors.ts';
import { decodeHeader } from '../core/fix/store-format.ts';
import { type FileContent, type RecordVisitor, readStoreFile } from '../core/fix/store-state.ts';
import type { StoreFiles } from './store-files.ts';

/** Files of one session's store, by name: `EPOCH-SEGMENT.fixstore`, so that the order of names is the order of time. */

const NAME = /^(\d{15})-(\d{8})\.fixstore$/;
/** A file that is being made: it does not count before it is renamed. */
export const NEW_FILE_SUFFIX = '.new';

export interface StoreFile {
  readonly name: string;
  readonly epoch: number;
  readonly segment: number;
}

export function storeFileName(epoch: number, segment: number): string {
  return `${String(epoch).padStart(15, '0')}-${String(segment).padStart(8, '0')}.fixstore`;
}

/** Oldest first. */
export function listStoreFiles(files: StoreFiles, directory: string): StoreFile[] {
  const found: StoreFile[] = [];
  for (const name of files.list(directory).sort()) {
    const match = NAME.exec(name);
    if (match !== null) found.push({ name, epoch: Number(match[1]), segment: Number(match[2]) });
  }
  return found;
}

/** The files of the newest epoch, oldest first; behind a gap in the segments are only files that were being deleted by age. */
export function newestEpoch(listed: readonly StoreFile[]): StoreFile[] {
  const newest = listed.at(-1);
  if (newest === undefined) return [];
  let from = listed.length - 1;
  while (
    from > 0 &&
    listed[from - 1]!.epoch === newest.epoch &&
    listed[from - 1]!.segment === listed[from]!.segment - 1
  )
    from--;
  return listed.slice(from);
}

/**
 * Reads files that follow one another, oldest first, the last of them the session's newest; `visit` gets each whole record. STORE_DAMAGED when
 * something cannot be read that had been durable, or a file is another session's.
 */
export function readStoreFiles(
  files: StoreFiles,
  directory: string,
  chain: readonly StoreFile[],
  visit: (file: StoreFile, ordinal: number) => RecordVisitor,
): FileContent[] {
  const contents: FileContent[] = [];
  let following: Uint8Array | undefined;
  for (let ordinal = 0; ordinal < chain.length; ordinal++) {
    const file = chain[ordinal]!;
    const bytes: Uint8Array = following ?? files.readFile(join(directory, file.name));
    const next = chain[ordinal + 1];
    following = next && files.readFile(join(directory, next.name));
    const path = join(directory, file.name);
    // The file after it says how much of it counts; the file of another epoch says nothing of it.
    const nextHeader = following && decodeHeader(following)?.header;
    const isNext = next?.epoch === file.epoch && next.segment === file.segment + 1;
    const limit = isNext && nextHeader ? nextHeader.previousLength : Number.POSITIVE_INFINITY;
    const content = readStoreFile(path, bytes, limit, visit(file, ordinal));
    const { epoch, segment } = content.header;
    if (epoch !== file.epoch || segment !== file.segment)
      throw new OutcryError('STORE_DAMAGED', `${path}: is epoch ${epoch}, segment ${segment} by its header`);
    contents.push(content);
  }
  return contents;
}
