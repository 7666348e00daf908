import measured from './unit-costs.json' with { type: 'json' };

/** What one of each thing costs a server, in CPU time of user and system. */
export interface CpuCosts {
  /** A node that serves nobody and has no feed, cores. */
  readonly idleCores: number;
  /** An update of an instrument, on the feed thread. */
  readonly feedUpdateMicros: number;
  /** The same update on each fan-out worker that has connections. */
  readonly workerUpdateMicros: number;
  /** A change of an instrument compared and encoded for one phase group. */
  readonly encodingMicros: number;
  readonly frameMicros: number;
  readonly quoteMicros: number;
  /** A second of an open connection beside its frames: acknowledgements and pings. */
  readonly connectionMicros: number;
  /** A connection opened: TCP, TLS, upgrade, subscriptions and their snapshot. */
  readonly handshakeMicros: number;
}

/** Share of an instrument's watchers that a tick has something for: 1 - exp(-(updates an instrument and tick / scale) ^ shape). */
export interface ChangeCurve {
  readonly scale: number;
  readonly shape: number;
}

/** Costs of a server as a bench has measured them, over one transport. */
export interface UnitCosts {
  readonly cpu: CpuCosts;
  readonly change: ChangeCurve;
  /** Payload of a frame of quotes: its head, and each quote of it. */
  readonly frameBytes: number;
  readonly quoteBytes: number;
  /** Resident memory of the process that serves; what the kernel keeps of a socket is not in it. */
  readonly processBytes: number;
  readonly connectionBytes: number;
}

/** A load that the costs were not fitted to, and what they said of it. */
export interface PredictedLoad {
  readonly load: string;
  readonly predictedCores: number;
  readonly measuredCores: number;
}

/** Where costs come from. */
export interface CostMeasurement {
  readonly date: string;
  readonly machine: string;
  readonly command: string;
  readonly checks: readonly PredictedLoad[];
  readonly costs: UnitCosts;
}

/** `unit-costs.json`, as `npm run bench -- capacity --write`, without and with `--tls`, has left it; null is not measured yet. */
export const MEASURED_COSTS: { readonly plain: CostMeasurement; readonly tls: CostMeasurement | null } = measured;
