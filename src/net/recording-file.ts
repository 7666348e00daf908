import { closeSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { OutcryError } from '../core/errors.ts';
import type { RecordingSink, RecordingSource } from '../core/exchange/recording.ts';

/** A recording on disk, read in order. */
export interface RecordingFile extends RecordingSource {
  close(): void;
}

/** Opens a recording to read. RECORDING_INVALID when there is none. */
export function openRecording(path: string): RecordingFile {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw new OutcryError('RECORDING_INVALID', `${path}: ${(error as Error).message}`, error);
  }
  let position = 0;
  return {
    read(into) {
      const bytes = readSync(file, into, 0, into.length, position);
      position += bytes;
      return bytes;
    },
    rewind() {
      position = 0;
    },
    close: () => closeSync(file),
  };
}

/** Writes a file by `produce`, beside `path` first: what stands at `path` is always whole. */
export async function writeRecording(path: string, produce: (sink: RecordingSink) => Promise<void>): Promise<void> {
  const beside = `${path}.${process.pid}.tmp`;
  const file = openSync(beside, 'w', 0o644);
  try {
    await produce((bytes) => {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    });
    renameSync(beside, path);
  } finally {
    closeSync(file);
    rmSync(beside, { force: true });
  }
}
