import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { OutcryError } from '../core/errors.ts';
import { decodeHeader, RecordType } from '../core/fix/store-format.ts';
import { type RecordVisitor, readStoreFile } from '../core/fix/store-state.ts';
import { lockOwner } from './data-lock.ts';
import { listStoreFiles, newestEpoch, readStoreFiles } from './store-directory.ts';
import { nodeFiles } from './store-files.ts';

/** In the data directory: the directory of all stores. */
export const STORES_DIRECTORY = 'fix';

/** Stores as an onlooker sees them: nothing is written, and their owner may be at work meanwhile. */

export interface StoreStatus {
  readonly session: string;
  readonly epoch: number;
  readonly nextSenderMsgSeqNum: number;
  readonly nextTargetMsgSeqNum: number;
  /** Messages of the epoch that are kept. */
  readonly messagesOut: number;
  readonly messagesIn: number;
  /** ISO 8601, UTC: of the last record, or when the epoch began. */
  readonly lastActivity: string;
  readonly files: number;
  readonly bytes: number;
  /** The process that has it; null for none. */
  readonly pid: number | null;
  /** Why it cannot be read; null when it can. The numbers are then 0. */
  readonly damage: string | null;
}

export interface LoggedMessage {
  readonly session: string;
  readonly epoch: number;
  readonly direction: 'in' | 'out';
  readonly msgSeqNum: number;
  /** Epoch microseconds: when it was stored. */
  readonly timeMicros: number;
  /** Valid during the call only. */
  readonly bytes: Uint8Array;
}

/** Directories of sessions in the directory of all stores, by name. */
export function listSessions(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => isSession(join(directory, name)))
    .sort();
}

/** Reads the files of the newest epoch. */
export function storeStatus(directory: string): StoreStatus {
  const listed = listStoreFiles(nodeFiles, directory);
  const status = {
    session: basename(directory),
    epoch: listed.at(-1)?.epoch ?? 0,
    files: listed.length,
    bytes: listed.reduce(
      (sum, { name }) => sum + (statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    ),
    pid: lockOwner(directory) ?? null,
  };
  const counts = [0, 0];
  try {
    const contents = readStoreFiles(nodeFiles, directory, newestEpoch(listed), () => (reader) => {
      if (reader.type === RecordType.Outbound) counts[0]!++;
      else if (reader.type === RecordType.Inbound) counts[1]!++;
    });
    const newest = contents.at(-1)!;
    return {
      ...status,
      ...newest.numbers,
      session: newest.header.sessionId,
      messagesOut: counts[0]!,
      messagesIn: counts[1]!,
      lastActivity: new Date(newest.lastMicros / 1_000).toISOString(),
      damage: null,
    };
  } catch (error) {
    if (!(error instanceof OutcryError)) throw error;
    const none = { nextSenderMsgSeqNum: 0, nextTargetMsgSeqNum: 0, messagesOut: 0, messagesIn: 0, lastActivity: '' };
    return { ...status, ...none, damage: error.message };
  }
}

/**
 * Visits the messages of a store file, of a session's directory, or of all sessions in a directory of stores (or in the data directory above it), each
 * session oldest first. STORE_DAMAGED where something cannot be read: what stands before it has been visited.
 */
export function visitMessages(
  path: string,
  session: string | undefined,
  visit: (message: LoggedMessage) => void,
): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new OutcryError('STORE_FAILED', `${path}: no such file or directory`);
  if (found.isFile()) {
    const bytes = nodeFiles.readFile(path);
    const header = decodeHeader(bytes)?.header;
    // The file after it says how much of it counts; on its own it is read as far as it goes.
    readStoreFile(path, bytes, Number.POSITIVE_INFINITY, visitorOf(header?.sessionId ?? '', header?.epoch ?? 0, visit));
    return;
  }
  const directories = isSession(path) ? [path] : sessionsBelow(path);
  const chosen = directories.filter((directory) => session === undefined || basename(directory) === session);
  if (chosen.length === 0) {
    const known = directories.map((directory) => basename(directory)).join(', ');
    throw new OutcryError(
      'STORE_FAILED',
      `${path}: no store${session === undefined ? '' : ` of ${session}`}; has ${known || 'none'}`,
    );
  }
  for (const directory of chosen) {
    const id = basename(directory);
    const listed = listStoreFiles(nodeFiles, directory);
    readStoreFiles(nodeFiles, directory, listed, (file) => visitorOf(id, file.epoch, visit));
  }
}

function visitorOf(session: string, epoch: number, visit: (message: LoggedMessage) => void): RecordVisitor {
  return (reader) => {
    if (reader.type !== RecordType.Outbound && reader.type !== RecordType.Inbound) return;
    visit({
      session,
      epoch,
      direction: reader.type === RecordType.Outbound ? 'out' : 'in',
      msgSeqNum: reader.number,
      timeMicros: reader.timeMicros,
      bytes: reader.bytes.subarray(reader.payloadStart, reader.payloadEnd),
    });
  };
}

function isSession(directory: string): boolean {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return false;
  return listStoreFiles(nodeFiles, directory).length > 0;
}

function sessionsBelow(path: string): string[] {
  const below = listSessions(path).map((name) => join(path, name));
  if (below.length > 0) return below;
  const stores = join(path, STORES_DIRECTORY);
  return listSessions(stores).map((name) => join(stores, name));
}
