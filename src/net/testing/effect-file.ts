import { closeSync, fdatasync, fdatasyncSync, ftruncateSync, openSync, readFileSync, write, writeSync } from 'node:fs';
import { DeliveryMark } from '../../core/fix/delivery-mark.ts';

/** One effect, and the key of the delivery that it came of. */
export interface Effect {
  readonly epoch: number;
  readonly msgSeqNum: number;
  readonly orderId: string;
}

/** The state of an application in a file: a line an effect, its key in it, so that both are committed by one sync. */
export class EffectFile {
  readonly effects: Effect[];
  readonly mark: DeliveryMark = new DeliveryMark();
  readonly #file: number;
  #length: number;
  #waiting: { line: string; done: () => void }[] = [];
  #isBusy = false;

  constructor(path: string) {
    this.#file = openSync(path, 'a+');
    const { effects, length } = readEffects(path);
    this.effects = effects;
    this.#length = length;
    // A line that was not written to its end was not committed.
    ftruncateSync(this.#file, length);
    const last = effects.at(-1);
    if (last !== undefined) this.mark.advance(last.epoch, last.msgSeqNum);
  }

  /** Commits before it returns. */
  commitNow(effect: Effect): void {
    this.#length += writeSync(this.#file, this.#take(effect));
    fdatasyncSync(this.#file);
  }

  /** Commits with those that come meanwhile; `done` when it is. */
  commit(effect: Effect, done: () => void): void {
    this.#waiting.push({ line: this.#take(effect), done });
    if (!this.#isBusy) this.#commitWaiting();
  }

  close(): void {
    closeSync(this.#file);
  }

  #take(effect: Effect): string {
    this.mark.advance(effect.epoch, effect.msgSeqNum);
    this.effects.push(effect);
    return `${effect.epoch} ${effect.msgSeqNum} ${effect.orderId}\n`;
  }

  #commitWaiting(): void {
    const group = this.#waiting;
    this.#waiting = [];
    this.#isBusy = group.length > 0;
    if (!this.#isBusy) return;
    write(this.#file, group.map(({ line }) => line).join(''), (writeError) => {
      if (writeError !== null) throw writeError;
      fdatasync(this.#file, (error) => {
        if (error !== null) throw error;
        for (const { done } of group) done();
        this.#commitWaiting();
      });
    });
  }
}

/** The whole lines of an effect file, and how many bytes they take. */
export function readEffects(path: string): { effects: Effect[]; length: number } {
  const text = readFileSync(path, 'latin1');
  const length = text.lastIndexOf('\n') + 1;
  const lines = text.slice(0, length).split('\n').slice(0, -1);
  const effects = lines.map((line) => {
    const [epoch, msgSeqNum, orderId] = line.split(' ') as [string, string, string];
    return { epoch: Number(epoch), msgSeqNum: Number(msgSeqNum), orderId };
  });
  return { effects, length };
}
