/**
 * How far one socket has been told of its user's events, and how it stays without a gap. Events come live, one number after the other, but not surely:
 * a full ring drops them, a replaced worker loses them, a slow socket must not be given them. Whatever the reason, what is missing is
 * filled from the ledger, a page at a time, and live events are let pass again once nothing is missing.
 */
export class EventCursor {
  #sentSeq: number;
  /** The newest event known to exist. */
  #latestSeq: number;
  /** Names the page that was asked for; its predecessor's events are nobody's. 0 for none. */
  #fill = 0;
  #fillCount = 0;
  #isPaused = false;

  constructor(seq: number) {
    this.#sentSeq = seq;
    this.#latestSeq = seq;
  }

  get sentSeq(): number {
    return this.#sentSeq;
  }

  get latestSeq(): number {
    return this.#latestSeq;
  }

  /** A page should be asked for. */
  get isBehind(): boolean {
    return this.#fill === 0 && !this.#isPaused && this.#sentSeq < this.#latestSeq;
  }

  /** A live event: true when it is the next, and to be sent. */
  live(seq: number): boolean {
    this.#latestSeq = Math.max(this.#latestSeq, seq);
    if (this.#fill !== 0 || this.#isPaused || seq !== this.#sentSeq + 1) return false;
    this.#sentSeq = seq;
    return true;
  }

  /** Begins a page and returns its name. */
  beginFill(): number {
    this.#fillCount++;
    this.#fill = this.#fillCount;
    return this.#fill;
  }

  /** An event of a page: true when it is the next, and to be sent. */
  filled(fill: number, seq: number): boolean {
    if (fill !== this.#fill || seq !== this.#sentSeq + 1) return false;
    this.#sentSeq = seq;
    this.#latestSeq = Math.max(this.#latestSeq, seq);
    return true;
  }

  /** The page is over; `latestSeq` is the newest event there was. */
  endFill(fill: number, latestSeq: number): void {
    this.#latestSeq = Math.max(this.#latestSeq, latestSeq);
    if (fill === this.#fill) this.#fill = 0;
  }

  /** Whatever was under way is lost; `latestSeq` is the newest event there is. */
  lost(latestSeq: number): void {
    this.#fill = 0;
    this.#latestSeq = Math.max(this.#latestSeq, latestSeq);
  }

  /** The client has everything up to `seq` and wants what came after it; false when there is no such event yet. */
  resume(seq: number): boolean {
    if (seq > this.#latestSeq) return false;
    this.#sentSeq = seq;
    this.#fill = 0;
    return true;
  }

  /** The socket takes no more for now. */
  pause(): void {
    this.#isPaused = true;
  }

  unpause(): void {
    this.#isPaused = false;
  }
}
