import type { Prng } from '../exchange/prng.ts';
import { OrderSide, type OrderTerms, OrderType, Product, Validity } from '../ledger/order.ts';
import type { Instrument } from '../market-data/instrument-master.ts';
import type { OrderCommand } from '../orders/order-command.ts';
import { RefusalCode } from '../refusal-codes.ts';
import type { AskedCommand } from './asked-command.ts';

const MUCH_PAISE = 9e12;

/** A command that must be refused, with the code that must come. `othersOrder` is an order of somebody else's, or none at all. */
export function badCommand(
  base: Pick<OrderCommand, 'origin' | 'userId'>,
  instruments: readonly Instrument[],
  othersOrder: number,
  random: Prng,
): AskedCommand {
  const { symbol, tickPaise, lotSize, previousClosePaise } = instruments[random.below(instruments.length)]!;
  const good: OrderTerms = {
    quantity: lotSize,
    ordType: OrderType.Limit,
    pricePaise: previousClosePaise,
    triggerPricePaise: 0,
  };
  const place = (symbolAsked: string, terms: OrderTerms, refusal: RefusalCode): AskedCommand => ({
    command: {
      ...base,
      type: 'place',
      symbol: symbolAsked,
      side: OrderSide.Buy,
      product: Product.MIS,
      validity: Validity.DAY,
      terms,
      clientOrderID: '',
      dryRun: false,
    },
    refusal,
  });
  switch (random.below(10)) {
    case 0:
      return place('NOSUCH', good, RefusalCode.UnknownSymbol);
    case 1:
      return place(symbol, { ...good, quantity: -1 }, RefusalCode.BadQuantity);
    case 2:
      return place(symbol, { ...good, quantity: 1.5 }, RefusalCode.BadQuantity);
    case 3:
      return place(symbol, { ...good, quantity: Number.NaN }, RefusalCode.BadQuantity);
    case 4:
      return place(symbol, { ...good, pricePaise: previousClosePaise + tickPaise - 1 }, RefusalCode.TickSize);
    case 5:
      return place(symbol, { ...good, pricePaise: previousClosePaise * 3 }, RefusalCode.PriceBand);
    case 6:
      return place(symbol, { ...good, pricePaise: 0 }, RefusalCode.BadPrice);
    case 7:
      return { command: { ...base, type: 'cancel', orderID: othersOrder }, refusal: RefusalCode.UnknownOrder };
    case 8:
      return {
        command: { ...base, type: 'modify', orderID: othersOrder, terms: good },
        refusal: RefusalCode.UnknownOrder,
      };
    default: {
      const reference = `bad${base.origin.requestID}`;
      return {
        command: { ...base, type: 'withdraw', amountPaise: MUCH_PAISE, reference },
        refusal: RefusalCode.InsufficientFunds,
      };
    }
  }
}
