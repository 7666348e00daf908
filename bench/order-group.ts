import { encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { latencyHistogram, recordLatency } from './histogram.ts';
import type { OrderOutcome } from './order-load-messages.ts';

/** What became of the orders of one group of traders, as it is counted. */
export class OrderGroup {
  sent = 0;
  acknowledged = 0;
  filled = 0;
  ended = 0;
  readonly #refused: Record<string, number> = {};
  readonly #pending = latencyHistogram();
  readonly #fill = latencyHistogram();

  refuse(code: string): void {
    this.#refused[code] = (this.#refused[code] ?? 0) + 1;
  }

  acknowledge(latencyMs: number): void {
    this.acknowledged++;
    recordLatency(this.#pending, latencyMs * 1_000);
  }

  fill(latencyMs: number): void {
    this.filled++;
    recordLatency(this.#fill, latencyMs * 1_000);
  }

  outcome(): OrderOutcome {
    const { sent, acknowledged, filled, ended } = this;
    return {
      sent,
      acknowledged,
      filled,
      ended,
      refused: this.#refused,
      pending: encodeIntoCompressedBase64(this.#pending),
      fill: encodeIntoCompressedBase64(this.#fill),
    };
  }
}
