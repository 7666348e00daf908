import type { OrderRecord, OrderRecordType, OrderRingWriter } from '../core/order-entry/order-ring.ts';
import { OrderWorkerState } from '../core/orders/order-worker-state.ts';
import { ORDER_STATS_GENERATION, ORDER_STATS_STATE } from '../core/shm/generated/worker-stats.gen.ts';

/** A fan-out worker's way to the order worker: its command ring, and what is known of who reads it. */
export class OrderLine {
  readonly #ring: OrderRingWriter;
  readonly #stats: Float64Array;
  readonly #record: OrderRecord;

  /** `generation` is that of the fan-out worker, `stats` the order worker's block. */
  constructor(ring: OrderRingWriter, stats: SharedArrayBuffer, generation: number) {
    this.#ring = ring;
    this.#stats = new Float64Array(stats);
    this.#record = {
      type: 1,
      generation,
      orderGeneration: this.#generationNow,
      connection: 0,
      flags: 0,
      requestID: 0,
      userId: 0,
      seq: 0,
    };
  }

  /** Whether requests are taken at all. */
  get isServing(): boolean {
    const state = this.#stats[ORDER_STATS_STATE >> 1];
    return state === OrderWorkerState.Serving || state === OrderWorkerState.LedgerAway;
  }

  /** True once after the order worker was replaced: what the former one had not answered it never will. */
  renew(): boolean {
    const generation = this.#generationNow;
    if (generation === this.#record.orderGeneration) return false;
    this.#record.orderGeneration = generation;
    return true;
  }

  /** False when the ring is full. */
  send(
    type: OrderRecordType,
    connection: number,
    userId: number,
    requestID: number,
    seq: number,
    body?: Uint8Array,
  ): boolean {
    const record = this.#record;
    record.type = type;
    record.connection = connection;
    record.userId = userId;
    record.requestID = requestID;
    record.seq = seq;
    const isWritten = this.#ring.write(record, body);
    this.#ring.flush();
    return isWritten;
  }

  get #generationNow(): number {
    return this.#stats[ORDER_STATS_GENERATION >> 1] as number;
  }
}
