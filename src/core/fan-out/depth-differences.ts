// hot: per changed instrument in full mode. No allocation, no closure, no exception.
import { WIRE_DEPTH_LEVELS, WIRE_DEPTH_NUMBERS, WIRE_LEVEL_NUMBERS } from './wire.ts';

/**
 * Depth as the wire has it: level 0 less the best price and quantity of the quote, each further price less the one before.
 * A book that moves as a whole then differs in nothing. Words wrap around, so that any 32-bit words come back.
 */
const SIDE_WORDS = WIRE_DEPTH_LEVELS * WIRE_LEVEL_NUMBERS;

/** Writes the differences of the book `depth[at…]` to `out[0…]`. */
export function toDepthDifferences(
  depth: Int32Array,
  at: number,
  bidPaise: number,
  bidQty: number,
  askPaise: number,
  askQty: number,
  out: Int32Array,
): void {
  for (let i = 0; i < WIRE_DEPTH_NUMBERS; i++) out[i] = depth[at + i]!;
  // From the worst level up, so that each still finds the price before it.
  for (let i = SIDE_WORDS - WIRE_LEVEL_NUMBERS; i > 0; i -= WIRE_LEVEL_NUMBERS) {
    out[i]! -= out[i - WIRE_LEVEL_NUMBERS]!;
    out[SIDE_WORDS + i]! -= out[SIDE_WORDS + i - WIRE_LEVEL_NUMBERS]!;
  }
  out[0]! -= bidPaise;
  out[1]! -= bidQty;
  out[SIDE_WORDS]! -= askPaise;
  out[SIDE_WORDS + 1]! -= askQty;
}

/** The book of which `differences[at…]` are the differences, to `out[outAt…]`. */
export function fromDepthDifferences(
  differences: Int32Array,
  at: number,
  bidPaise: number,
  bidQty: number,
  askPaise: number,
  askQty: number,
  out: Int32Array,
  outAt: number,
): void {
  for (let i = 0; i < WIRE_DEPTH_NUMBERS; i++) out[outAt + i] = differences[at + i]!;
  const asks = outAt + SIDE_WORDS;
  out[outAt]! += bidPaise;
  out[outAt + 1]! += bidQty;
  out[asks]! += askPaise;
  out[asks + 1]! += askQty;
  for (let i = WIRE_LEVEL_NUMBERS; i < SIDE_WORDS; i += WIRE_LEVEL_NUMBERS) {
    out[outAt + i]! += out[outAt + i - WIRE_LEVEL_NUMBERS]!;
    out[asks + i]! += out[asks + i - WIRE_LEVEL_NUMBERS]!;
  }
}
