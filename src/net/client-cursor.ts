import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Tag } from '../core/fix/generated/fix-tags.gen.ts';
import { parseExecID } from '../core/order-entry/client-reports.ts';
import type { FileFixStore } from './fix-store-file.ts';

/** How far the reports of each account had come when the store had sent so much. */
interface Mark {
  readonly epoch: number;
  readonly nextSenderMsgSeqNum: number;
  readonly seqs: readonly (readonly [userId: number, seq: number])[];
}

const EXEC_ID = `\u0001${Tag.ExecID}=`;

/**
 * How far the reports to a FIX client have come, over the life of a process. Truth is the session's store: each report in it names its event. A mark beside the store is written now and then, of what is
 * durable there, so that no more than the messages since have to be looked through.
 */
export class ClientCursor {
  readonly #path: string;
  readonly #store: FileFixStore;
  #written = '';
  #pending: { readonly text: string; readonly group: number } | null = null;

  constructor(path: string, store: FileFixStore) {
    this.#path = path;
    this.#store = store;
  }

  /** The last event of each account that has been reported; none is known of an account that never was. */
  load(): Map<number, number> {
    const store = this.#store;
    const mark = this.#read();
    const seqs = new Map(mark?.seqs);
    const from = mark?.epoch === store.epoch ? mark.nextSenderMsgSeqNum : 1;
    for (let msgSeqNum = from; msgSeqNum < store.nextSenderMsgSeqNum; msgSeqNum++) {
      const message = store.read(msgSeqNum);
      if (message === null) continue;
      const text = Buffer.from(message.buffer.subarray(message.start, message.end)).toString('latin1');
      const at = text.indexOf(EXEC_ID);
      if (at < 0) continue;
      const found = parseExecID(text.slice(at + EXEC_ID.length, text.indexOf('\u0001', at + 1)));
      if (found !== undefined && found.seq > (seqs.get(found.userId) ?? 0)) seqs.set(found.userId, found.seq);
    }
    return seqs;
  }

  /** Writes the mark of the time before, if what it is about is durable, and takes the next. */
  onTimer(seqs: ReadonlyMap<number, number>): void {
    const { durableGroup, appendedGroup } = this.#store.durability;
    if (this.#pending !== null && durableGroup >= this.#pending.group) {
      this.#write(this.#pending.text);
      this.#pending = null;
    }
    const text = this.#textOf(seqs);
    if (this.#pending === null && text !== this.#written) this.#pending = { text, group: appendedGroup };
  }

  /** The store is closed: all of it is durable. */
  close(seqs: ReadonlyMap<number, number>): void {
    this.#write(this.#textOf(seqs));
  }

  #textOf(seqs: ReadonlyMap<number, number>): string {
    const { epoch, nextSenderMsgSeqNum } = this.#store;
    const mark: Mark = { epoch, nextSenderMsgSeqNum, seqs: [...seqs] };
    return JSON.stringify(mark);
  }

  #write(text: string): void {
    try {
      writeFileSync(`${this.#path}.tmp`, text);
      renameSync(`${this.#path}.tmp`, this.#path);
      this.#written = text;
    } catch {
      // The mark before it is as true, and only further back.
    }
  }

  #read(): Mark | null {
    try {
      return JSON.parse(readFileSync(this.#path, 'utf8')) as Mark;
    } catch {
      // None yet, or one that a crash of the machine spoilt: the store has all of it.
      return null;
    }
  }
}
