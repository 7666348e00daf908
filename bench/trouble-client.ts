/** The process of the troublesome clients. */
import { TroubleFleet } from './trouble-fleet.ts';
import type { TroubleOrder, TroubleReport } from './trouble-messages.ts';

let fleet: TroubleFleet | undefined;

function answer(order: TroubleOrder): TroubleReport {
  if (order.type === 'begin') {
    fleet = new TroubleFleet(order.settings);
    return { type: 'begun' };
  }
  const { user, system } = process.cpuUsage();
  return { type: 'figures', figures: { kinds: fleet!.counts, cpuSeconds: (user + system) / 1e6 } };
}

process.title = 'outcry-trouble';
// The bench is gone: no trouble may stay behind.
process.on('disconnect', () => process.exit(1));
process.on('uncaughtException', (error) => {
  process.send!({ type: 'failed', text: error.message }, undefined, undefined, () => process.exit(1));
});
process.on('message', (order: TroubleOrder) => {
  process.send!(answer(order));
});
