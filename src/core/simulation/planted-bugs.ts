import type { Prng } from '../exchange/prng.ts';
import { DATABASE_BUGS } from './bugs-database.ts';
import { DAY_BUGS } from './bugs-day.ts';
import { LEDGER_BUGS } from './bugs-ledger.ts';
import { OUTWARD_BUGS } from './bugs-outward.ts';
import { VENUE_BUGS } from './bugs-venue.ts';
import type { Tampering } from './tampering.ts';

/** A bug that somebody could have made: what it does to what passes by, for one day. */
export type PlantedBug = (random: Prng) => Tampering;

/** Bugs by name. Each must be found by the invariants; none of them is in the product's code, which knows nothing of them. */
export const PLANTED_BUGS: Readonly<Record<string, PlantedBug>> = {
  ...LEDGER_BUGS,
  ...DATABASE_BUGS,
  ...VENUE_BUGS,
  ...OUTWARD_BUGS,
  ...DAY_BUGS,
};
