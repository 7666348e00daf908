// hot: `put`, per stored message. Allocates only when it grows, by doubling.

const TWO_32 = 4_294_967_296;
const FIRST_CAPACITY = 1_024;

/**
 * Where each outbound message stands: a ring by MsgSeqNum(34), 20 bytes an entry. It grows to `entriesMax` (a power of two);
 * from there a new number takes the place of the one `entriesMax` before it, which is then not found any more.
 */
export class StoreIndex {
  readonly #entriesMax: number;
  #capacity = FIRST_CAPACITY;
  #numbers: Float64Array = new Float64Array(FIRST_CAPACITY);
  /** File and offset in one: ordinal × 2^32 + offset. */
  #positions: Float64Array = new Float64Array(FIRST_CAPACITY);
  #lengths: Int32Array = new Int32Array(FIRST_CAPACITY);
  /** What `find` found. */
  ordinal = 0;
  offset = 0;
  length = 0;

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  put(msgSeqNum: number, ordinal: number, offset: number, length: number): void {
    while (this.#numbers[this.#slot(msgSeqNum)] !== 0 && this.#capacity < this.#entriesMax) this.#grow();
    this.#set(msgSeqNum, ordinal * TWO_32 + offset, length);
  }

  /** Whether the number is known; `ordinal`, `offset` and `length` are then its. */
  find(msgSeqNum: number): boolean {
    const slot = this.#slot(msgSeqNum);
    if (this.#numbers[slot] !== msgSeqNum) return false;
    const position = this.#positions[slot]!;
    this.ordinal = Math.floor(position / TWO_32);
    this.offset = position - this.ordinal * TWO_32;
    this.length = this.#lengths[slot]!;
    return true;
  }

  clear(): void {
    this.#numbers.fill(0);
  }

  /** No bit mask: numbers reach 10^15. */
  #slot(msgSeqNum: number): number {
    return msgSeqNum % this.#capacity;
  }

  #set(msgSeqNum: number, position: number, length: number): void {
    const slot = this.#slot(msgSeqNum);
    this.#numbers[slot] = msgSeqNum;
    this.#positions[slot] = position;
    this.#lengths[slot] = length;
  }

  #grow(): void {
    const numbers = this.#numbers;
    const positions = this.#positions;
    const lengths = this.#lengths;
    const capacity = numbers.length * 2;
    this.#capacity = capacity;
    this.#numbers = new Float64Array(capacity);
    this.#positions = new Float64Array(capacity);
    this.#lengths = new Int32Array(capacity);
    for (let i = 0; i < numbers.length; i++) {
      if (numbers[i] !== 0) this.#set(numbers[i]!, positions[i]!, lengths[i]!);
    }
  }
}
