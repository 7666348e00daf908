/** The fleet that the brief draws for 10 million users with 20 instruments each, and its prices of a month (sections 5.10 and 6.1), dollars. */
export const BRIEF_FLEET = {
  users: 10_000_000,
  nodes: 1_000,
  /** c5.xlarge. */
  coresPerNode: 4,
  connectionsPerNode: 10_000,
  processBytes: 600e6,
  serversPerMonth: 72_000,
  /** 100 TB. */
  egressBytesPerMonth: 100e12,
  egressPerMonth: 9_000,
  /** As it is printed there; its rows add up to 178,456. */
  totalPerMonth: 177_456,
} as const;

/** What everything else of the brief costs, from Redis to backups: a plan of the fan-out leaves it as it is. */
export const BRIEF_REST_PER_MONTH =
  BRIEF_FLEET.totalPerMonth - BRIEF_FLEET.serversPerMonth - BRIEF_FLEET.egressPerMonth;
