import { VenueRefusal } from '../fix/venue-refusals.ts';
import { RefusalCode } from '../refusal-codes.ts';

/** From this number on it is the venue's own words that say why. */
const VENUE_REJECTED_MIN = 420;
export const VENUE_REJECTED = 'VENUE_REJECTED';

const NAMES = new Map<number, string>(
  [...Object.entries(VenueRefusal), ...Object.entries(RefusalCode)].map(([name, code]) => [
    code,
    name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase(),
  ]),
);

/** A refusal's number as the word that clients get beside it: 200 is `BUYING_POWER`. */
export function refusalName(code: number): string {
  return NAMES.get(code) ?? (code >= VENUE_REJECTED_MIN ? VENUE_REJECTED : String(code));
}
