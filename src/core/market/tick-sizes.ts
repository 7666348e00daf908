import table from './tick-sizes.json' with { type: 'json' };

/**
 * Tick size in paise of an NSE cash share by its closing price in paise, as of `date` (YYYY-MM-DD). The exchange fixes an instrument's tick by
 * its close at its reviews, so a tick belongs to an instrument's dated entry in the master and does not change with the price in between.
 * Before the first table the first table holds.
 */
export function tickPaiseFor(closePaise: number, date: string): number {
  let version = table.versions[0]!;
  for (const candidate of table.versions) if (candidate.from <= date) version = candidate;
  for (const tier of version.tiers) if (tier.belowPaise === null || closePaise < tier.belowPaise) return tier.tickPaise;
  return version.tiers.at(-1)!.tickPaise;
}
