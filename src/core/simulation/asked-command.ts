import type { OrderCommand } from '../orders/order-command.ts';
import type { RefusalCode } from '../refusal-codes.ts';

/** A command and what is known beforehand of its answer. */
export interface AskedCommand {
  readonly command: OrderCommand;
  /** The refusal that must come; 0 where it is not known. */
  readonly refusal: RefusalCode;
}
