import { assert } from '../assert.ts';
import type { BatchAnswer, CommitOutcome, LedgerBatch } from '../ledger/ledger-batch.ts';
import { RefusalCode } from '../refusal-codes.ts';

/** What the queue needs of whose inputs it orders. A `Decision` is what an input made of memory, with everything that may leave once it is durable. */
export interface CommitHost<Input, Decision> {
  /**
   * Decides from memory and applies to it; null when nothing is to be committed: the input is done with. `wait`: memory lacks what it is about; it is decided at a later `flush`, and
   * nothing after it before. `again`: it was decided before, and that was undone.
   */
  decide(input: Input, again: boolean): Decision | null | 'wait';
  /**
   * The batch of these decisions, from memory as it is now: with those of `inFlight` they are all that is decided and not durable. Null when nothing in them has to be
   * made so.
   */
  render(batchId: number, decisions: readonly Decision[], inFlight: LedgerBatch | null): LedgerBatch | null;
  /** It is likely to be committed next. */
  prepare(batch: LedgerBatch): void;
  /** `committed` answers. */
  commit(batch: LedgerBatch): void;
  /** `batchAnswer` answers; `not-committed` is final: the batch will not become durable later. */
  askBatch(batchId: number): void;
  /** It is durable: what it holds may leave. */
  release(input: Input, decision: Decision, nowMicros: number): void;
  /** It has waited for so long that it must not be done any more. */
  isTooLate(input: Input, nowMicros: number): boolean;
  /** It is taken out, and nothing of it was or will be done: LedgerTooLate, or LedgerRefused with the database's words. */
  drop(input: Input, code: RefusalCode, text: string): void;
  /** Memory must be again as the database has it, for all that these decisions touched. `reloaded` answers. */
  reload(undone: readonly Decision[]): void;
  /** Another process owns the shard: this one must end. */
  fatal(text: string): void;
}

export interface CommitQueueSettings {
  /** Of the last batch of before. */
  readonly lastBatchId: number;
  /** While a batch is in flight, the next one is closed when it has so many inputs, and is made ready meanwhile. */
  readonly batchInputsFull: number;
  readonly backOffMinMicros: number;
  readonly backOffMaxMicros: number;
}

interface Entry<Input, Decision> {
  readonly input: Input;
  /** Null before it is decided, and after that was undone. */
  decision: Decision | null;
  wasDecided: boolean;
}

const State = {
  Idle: 'idle',
  Committing: 'committing',
  Asking: 'asking',
  Reloading: 'reloading',
  /** The database was away: it is spoken to again when `dueMicros` has come. */
  Waiting: 'waiting',
  Ended: 'ended',
} as const;
type State = (typeof State)[keyof typeof State];

/**
 * Makes inputs durable in batches, in their order. One batch is in flight; what was decided meanwhile is the next one. Sans-I/O.
 *
 * A batch that the database refuses is undone with everything decided after it: memory is reloaded and the inputs are decided again, in batches of half the size
 * while refusals go on and of twice the size after each that is taken, until the one that is refused alone is found and dropped. So an input stays here until it
 * is durable.
 */
export class CommitQueue<Input, Decision> {
  readonly #host: CommitHost<Input, Decision>;
  readonly #settings: CommitQueueSettings;
  /** In order: those of the batch in flight, those decided behind it, those to be decided. */
  #entries: Entry<Input, Decision>[] = [];
  #state: State = State.Idle;
  /** In flight, or to be sent again. */
  #batch: LedgerBatch | null = null;
  #batchId: number;
  #batchSize = 0;
  /** Follows the one in flight, and takes no more inputs. */
  #next: { readonly batch: LedgerBatch; readonly size: number } | null = null;
  /** Entries, from the first, that are decided. */
  #decidedCount = 0;
  /** So many are decided for the next batch at most; infinite unless something was refused. */
  #sizeMax = Number.POSITIVE_INFINITY;
  /** Decisions that memory still has and that are no longer to be: nothing is decided before it is reloaded. */
  #undone: Decision[] = [];
  #mustAsk = false;
  #retryMicros = Number.POSITIVE_INFINITY;
  #backOffMicros: number;
  #isAvailable = true;

  constructor(settings: CommitQueueSettings, host: CommitHost<Input, Decision>) {
    this.#host = host;
    this.#settings = settings;
    this.#batchId = settings.lastBatchId;
    this.#backOffMicros = settings.backOffMinMicros;
  }

  /** Inputs that are not durable yet. */
  get count(): number {
    return this.#entries.length;
  }

  /** Whether the database answered when it was last spoken to. */
  get isAvailable(): boolean {
    return this.#isAvailable;
  }

  /** Another process owns the shard; nothing is taken any more. */
  get hasEnded(): boolean {
    return this.#state === State.Ended;
  }

  /** When `onTimer` has something to do; Infinity for never. */
  get dueMicros(): number {
    return this.#retryMicros;
  }

  /** Takes an input. It is decided at once, unless others before it wait to be decided again. `flush` follows. */
  offer(input: Input): void {
    if (this.#state === State.Ended) return;
    const entry: Entry<Input, Decision> = { input, decision: null, wasDecided: false };
    const mustWait = this.#undone.length > 0 || this.#decidedCount < this.#entries.length;
    if (mustWait || this.#decide(entry)) this.#entries.push(entry);
    if (entry.decision !== null) this.#decidedCount++;
  }

  /** Sends the next batch, if none is in flight. To be called when a turn's inputs have been offered. */
  flush(nowMicros: number): void {
    if (this.#state === State.Committing) this.#closeNext();
    if (this.#state !== State.Idle) return;
    this.#decideWaiting();
    this.#batchSize = this.#next === null ? this.#decidedCount : this.#next.size;
    if (this.#batchSize === 0) return;
    const batch = this.#next === null ? this.#render(0, this.#batchSize) : this.#next.batch;
    this.#next = null;
    if (batch === null) {
      this.#release(nowMicros);
      return;
    }
    this.#batchId++;
    this.#batch = batch;
    this.#send(batch);
  }

  /** The answer to `commit`. */
  committed(batchId: number, outcome: CommitOutcome, nowMicros: number): void {
    if (this.#state === State.Ended) return;
    assert(this.#state === State.Committing && batchId === this.#batchId, 'the batch in flight is answered');
    switch (outcome.kind) {
      case 'committed':
        this.#release(nowMicros);
        break;
      case 'refused':
        this.#refused(outcome.text);
        break;
      case 'unknown':
        this.#isAvailable = false;
        this.#ask();
        break;
      case 'unavailable':
        this.#wait(nowMicros);
        break;
      case 'stale-epoch':
        this.#state = State.Ended;
        this.#host.fatal('another process owns the shard');
        break;
      default:
        outcome satisfies never;
    }
  }

  /** The answer to `askBatch`. */
  batchAnswer(batchId: number, answer: BatchAnswer, nowMicros: number): void {
    if (this.#state === State.Ended) return;
    assert(this.#state === State.Asking && batchId === this.#batchId, 'the batch in flight is asked after');
    if (answer === 'unavailable') {
      this.#wait(nowMicros);
      return;
    }
    this.#mustAsk = false;
    if (answer === 'committed') this.#release(nowMicros);
    else this.#goOn(nowMicros);
  }

  /** The answer to `reload`; false when the database cannot be reached. */
  reloaded(isDone: boolean, nowMicros: number): void {
    if (this.#state === State.Ended) return;
    assert(this.#state === State.Reloading, 'a reload is answered');
    if (!isDone) {
      this.#wait(nowMicros);
      return;
    }
    this.#undone = [];
    this.#reached();
    this.flush(nowMicros);
  }

  onTimer(nowMicros: number): void {
    if (this.#state !== State.Waiting || nowMicros < this.#retryMicros) return;
    this.#retryMicros = Number.POSITIVE_INFINITY;
    if (this.#mustAsk) this.#ask();
    else this.#goOn(nowMicros);
  }

  /** Whether the entry stays: it is decided, or waits to be. */
  #decide(entry: Entry<Input, Decision>): boolean {
    const decision = this.#host.decide(entry.input, entry.wasDecided);
    if (decision === 'wait') return true;
    entry.decision = decision;
    entry.wasDecided = true;
    return decision !== null;
  }

  #decideWaiting(): void {
    while (this.#decidedCount < Math.min(this.#sizeMax, this.#entries.length)) {
      const entry = this.#entries[this.#decidedCount]!;
      if (!this.#decide(entry)) this.#entries.splice(this.#decidedCount, 1);
      else if (entry.decision === null) return;
      else this.#decidedCount++;
    }
  }

  #closeNext(): void {
    const size = this.#decidedCount - this.#batchSize;
    if (this.#next !== null || size < this.#settings.batchInputsFull) return;
    const batch = this.#render(this.#batchSize, this.#decidedCount);
    if (batch === null) return;
    this.#next = { batch, size };
    this.#host.prepare(batch);
  }

  /** The batch of entries that are decided. */
  #render(from: number, to: number): LedgerBatch | null {
    const decisions: Decision[] = [];
    for (let at = from; at < to; at++) decisions.push(this.#entries[at]!.decision as Decision);
    return this.#host.render(this.#batchId + 1, decisions, this.#batch);
  }

  #send(batch: LedgerBatch): void {
    this.#state = State.Committing;
    this.#host.commit(batch);
  }

  #ask(): void {
    this.#mustAsk = true;
    this.#state = State.Asking;
    this.#host.askBatch(this.#batchId);
  }

  /** The batch, if there is one, provably did not happen: the same one again, unless something in it has become too old, or memory is not as it should be. */
  #goOn(nowMicros: number): void {
    const tooLate = new Set(this.#entries.filter(({ input }) => this.#host.isTooLate(input, nowMicros)));
    if (tooLate.size > 0) {
      this.#undo();
      this.#entries = this.#entries.filter((entry) => !tooLate.has(entry));
      const text = 'the database was away for longer than an order may be old';
      for (const { input } of tooLate) this.#host.drop(input, RefusalCode.LedgerTooLate, text);
    }
    if (this.#undone.length > 0) this.#reload();
    else if (this.#batch !== null) this.#send(this.#batch);
    else this.#state = State.Idle;
  }

  #refused(text: string): void {
    const refused = this.#entries.slice(0, this.#batchSize);
    this.#sizeMax = Math.max(1, Math.ceil(refused.length / 2));
    this.#undo();
    if (refused.length === 1) {
      this.#entries.shift();
      this.#host.drop(refused[0]!.input, RefusalCode.LedgerRefused, text);
    }
    this.#reload();
  }

  #release(nowMicros: number): void {
    const durable = this.#entries.splice(0, this.#batchSize);
    this.#decidedCount -= durable.length;
    this.#batch = null;
    this.#sizeMax = this.#decidedCount < this.#entries.length ? this.#sizeMax * 2 : Number.POSITIVE_INFINITY;
    this.#reached();
    for (const { input, decision } of durable) this.#host.release(input, decision as Decision, nowMicros);
    this.flush(nowMicros);
  }

  /** Nothing that is not durable counts any more. */
  #undo(): void {
    for (const entry of this.#entries) {
      if (entry.decision !== null) this.#undone.push(entry.decision);
      entry.decision = null;
    }
    this.#decidedCount = 0;
    this.#batch = null;
    this.#next = null;
  }

  #reload(): void {
    this.#state = State.Reloading;
    this.#host.reload(this.#undone);
  }

  #reached(): void {
    this.#isAvailable = true;
    this.#backOffMicros = this.#settings.backOffMinMicros;
    this.#state = State.Idle;
  }

  #wait(nowMicros: number): void {
    this.#isAvailable = false;
    this.#state = State.Waiting;
    this.#retryMicros = nowMicros + this.#backOffMicros;
    this.#backOffMicros = Math.min(this.#backOffMicros * 2, this.#settings.backOffMaxMicros);
  }
}
