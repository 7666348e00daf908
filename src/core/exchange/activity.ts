// hot: per simulated event.
import type { MarketDataPublisher } from './market-data-publisher.ts';
import { Popularity } from './popularity.ts';
import { Prng } from './prng.ts';

/** A leader that was quiet this long goes before anything drawn by popularity. */
const LEADER_QUIET_MICROS = 700_000;
/** The burst at the open: its factor falls to half of its excess in this time, then with the square of the time. */
const BURST_MICROS = 60_000_000;
const LEADERS_LOOKED_AT = 8;
const SAME_MESSAGE_DRAWS_MAX = 8;

/** When and where something happens: how many updates are due, and in which instrument the next event is. */
export class Activity {
  readonly #updatesPerSecond: number;
  readonly #openBurstFactor: number;
  readonly #random: Prng;
  readonly #actedMicros: Float64Array;
  #popularity = new Popularity([]);
  #leaders: Int32Array = new Int32Array(0);
  #leaderCursor = 0;
  #leadersTurn = false;

  /** `openBurstFactor` is how many times the rate the open begins with. */
  constructor(capacity: number, seed: number, updatesPerSecond: number, openBurstFactor: number) {
    this.#updatesPerSecond = updatesPerSecond;
    this.#openBurstFactor = openBurstFactor;
    this.#random = new Prng(seed);
    this.#actedMicros = new Float64Array(capacity);
  }

  /** The instruments that trade, most popular first, and those among them that are never quiet for long. */
  reload(tradable: readonly number[], leaders: Int32Array): void {
    this.#popularity = new Popularity(tradable);
    this.#leaders = leaders;
    this.#leaderCursor = 0;
  }

  get isEmpty(): boolean {
    return this.#popularity.count === 0;
  }

  /** Updates a second at this time after the open. */
  rateAt(sinceOpenMicros: number): number {
    const elapsed = sinceOpenMicros / BURST_MICROS;
    return this.#updatesPerSecond * (1 + (this.#openBurstFactor - 1) / (1 + elapsed * elapsed));
  }

  /** Every second time a leader that was quiet for long, else one drawn by popularity, rather not one that stands in the open message. */
  choose(nowMicros: number, publisher: MarketDataPublisher): number {
    this.#leadersTurn = !this.#leadersTurn;
    if (this.#leadersTurn) {
      const leaders = this.#leaders;
      const looks = Math.min(leaders.length, LEADERS_LOOKED_AT);
      for (let look = 0; look < looks; look++) {
        const leader = leaders[this.#leaderCursor]!;
        // The cursor stays on a quiet one until something of it was published.
        if (nowMicros - this.#actedMicros[leader]! >= LEADER_QUIET_MICROS) return leader;
        this.#leaderCursor = (this.#leaderCursor + 1) % leaders.length;
      }
    }
    let index = this.#popularity.draw(this.#random);
    for (let draws = 1; draws < SAME_MESSAGE_DRAWS_MAX && publisher.isInOpenMessage(index); draws++) {
      index = this.#popularity.draw(this.#random);
    }
    return index;
  }

  /** Something in the instrument was published, or nothing can be. */
  acted(index: number, nowMicros: number): void {
    this.#actedMicros[index] = nowMicros;
  }
}
