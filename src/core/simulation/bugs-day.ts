import { EventType, LedgerAccount } from '../ledger/ledger-event.ts';
import { NO_NOTE_DUE, withExecution } from '../ledger/note-due.ts';
import { OrderSide, Product } from '../ledger/order.ts';
import { SQUARE_OFF_PREFIX } from './day-end-audit.ts';
import { isExecution } from './event-audit.ts';
import { moveBetween, skewed } from './ledger-skew.ts';
import type { PlantedBug } from './planted-bugs.ts';

/** Wrong ways with the end of the day: mostly what an engine that comes back believes is still to be done. */
export const DAY_BUGS = {
  'squared-off-twice': () => ({
    loaded: (loaded) => {
      const { orders, positions } = loaded.account;
      for (const { clientOrderID, side, cumQty, instrumentId } of orders.values()) {
        const position = [...positions.values()].find(
          (each) => each.instrumentId === instrumentId && each.product === Product.MIS,
        );
        if (position?.quantity === 0 && clientOrderID.startsWith(SQUARE_OFF_PREFIX))
          position.quantity = side === OrderSide.Sell ? cumQty : -cumQty;
      }
      return loaded;
    },
  }),
  'holding-booked-twice': () => ({
    loaded: (loaded) => {
      const { holdings, positions } = loaded.account;
      for (const position of positions.values()) {
        const holding = holdings.get(position.instrumentId);
        if (position.product === Product.CNC && position.quantity === 0 && holding !== undefined)
          position.quantity = holding.quantity;
      }
      return loaded;
    },
  }),
  'note-charged-twice': () => ({
    loaded: (loaded) => {
      let due = NO_NOTE_DUE;
      for (const { detail } of loaded.executions) if (isExecution(detail)) due = withExecution(due, detail);
      loaded.account.noteDue = due;
      return loaded;
    },
  }),
  'note-a-paisa-off': () =>
    skewed((event) =>
      event.detail.type === EventType.ContractNoteIssued
        ? moveBetween(event, LedgerAccount.StampDuty, LedgerAccount.Available, 1)
        : event,
    ),
} satisfies Record<string, PlantedBug>;
