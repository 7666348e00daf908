import type { OrderCommand } from '../orders/order-command.ts';
import type { PlantedBug } from './planted-bugs.ts';

const ONE_IN = 100;

/** Wrong ways with who waits for an answer. */
export const OUTWARD_BUGS = {
  'push-lost': (random) => ({ push: (events) => (random.below(ONE_IN) === 0 ? null : events) }),
  'push-repeated': (random) => ({ push: (events) => (random.below(ONE_IN) === 0 ? [...events, ...events] : events) }),
  'answer-lost': (random) => ({ answers: () => (random.below(ONE_IN) === 0 ? 0 : 1) }),
  'answer-given-twice': (random) => ({ answers: () => (random.below(ONE_IN) === 0 ? 2 : 1) }),
  'bad-quantity-made-good': () => ({ command: madeGood }),
} satisfies Record<string, PlantedBug>;

/** A negative or broken quantity is made a whole one. */
function madeGood(command: OrderCommand): OrderCommand {
  if (command.type !== 'place' || Number.isNaN(command.terms.quantity)) return command;
  const quantity = Math.max(1, Math.ceil(Math.abs(command.terms.quantity)));
  return { ...command, terms: { ...command.terms, quantity } };
}
