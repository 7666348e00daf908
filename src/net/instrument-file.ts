import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { OutcryError } from '../core/errors.ts';
import { indianDate } from '../core/market/calendar.ts';
import { InstrumentMaster } from '../core/market-data/instrument-master.ts';

export const INSTRUMENT_FILE_BYTES_MAX = 64 * 1024 * 1024;
const POLL_MS = 1_000;

/** Reads a master file of at most 64 MiB. INSTRUMENTS_INVALID when it cannot be read, is too large or wrong; the text names the file. */
export function readInstrumentFile(path: string): InstrumentMaster {
  let text: string;
  try {
    const { size } = statSync(path);
    if (size > INSTRUMENT_FILE_BYTES_MAX) throw new Error(`${size} bytes, the limit is ${INSTRUMENT_FILE_BYTES_MAX}`);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new OutcryError('INSTRUMENTS_INVALID', `${path}: ${(error as Error).message}`, error);
  }
  return InstrumentMaster.fromText(text);
}

/** Writes a master file whole or not at all: to a file beside it, flushed to disk, then renamed over it. */
export function writeInstrumentFile(path: string, master: InstrumentMaster): void {
  const beside = `${path}.${process.pid}.tmp`;
  const file = openSync(beside, 'w', 0o644);
  try {
    writeSync(file, master.toText());
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

export interface InstrumentFileWatch {
  close(): void;
}

/**
 * Calls `onMaster` when the file was written since, or when the Indian date changed and with it the versions in force, and `onError` when what was
 * written is wrong; the next change is told again. It looks once a second: that sees a rename on every file system, which change notifications
 * do not promise.
 */
export function watchInstrumentFile(
  path: string,
  onMaster: (master: InstrumentMaster) => void,
  onError: (error: Error) => void,
): InstrumentFileWatch {
  let seen = versionOf(path);
  const timer = setInterval(() => {
    const version = versionOf(path);
    if (version === seen || version === '') return;
    seen = version;
    try {
      onMaster(readInstrumentFile(path));
    } catch (error) {
      onError(error as Error);
    }
  }, POLL_MS);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

/** What changes when the file or the date does; '' while there is no file. */
function versionOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? '' : `${indianDate(Date.now() * 1_000)} ${stat.ino} ${stat.size} ${stat.mtimeNs}`;
}
