import { Prng } from '../src/core/exchange/prng.ts';
import { VarintReader } from '../src/core/fan-out/varint.ts';
import { LoadConnection, type LoadListener } from './load-connection.ts';
import { type RawListener, RawSocket } from './raw-socket.ts';
import { TROUBLE_KINDS, type TroubleKind, type TroubleKindName, type Whims } from './trouble-kinds.ts';
import type { TroubleCounts, TroubleFigures, TroubleSettings } from './trouble-messages.ts';

/** How often it is looked whose turn it is. */
const STEP_MS = 10;
/** All have begun after so long: not at once, nor in step with each other. */
const BEGIN_MS = 2_000;

const reader = new VarintReader();

/** The troublesome clients of a process: each has its kind, and its turn when that is due. */
export class TroubleFleet {
  readonly #clients: TroubleClient[] = [];
  readonly #counts: Partial<Record<TroubleKindName, TroubleCounts>> = {};

  constructor(settings: TroubleSettings) {
    const { kinds, clients, symbols, seed } = settings;
    const whims: Whims = { prng: new Prng(seed), symbols };
    for (const kind of kinds) this.#counts[kind] = { opened: 0, actions: 0, closed: 0 };
    const nowMs = performance.now();
    for (let i = 0; i < clients; i++) {
      const kind = kinds[i % kinds.length]!;
      const dueMs = nowMs + whims.prng.unit() * BEGIN_MS;
      this.#clients.push(new TroubleClient(TROUBLE_KINDS[kind], this.#counts[kind]!, settings, whims, dueMs));
    }
    setInterval(() => this.#step(), STEP_MS);
  }

  get counts(): TroubleFigures['kinds'] {
    return this.#counts;
  }

  #step(): void {
    const nowMs = performance.now();
    for (const client of this.#clients) if (client.dueMs <= nowMs) client.step(nowMs);
  }
}

/** One of them: its connection, the end of it, and the next. */
class TroubleClient implements LoadListener, RawListener {
  /** When it is its turn to act, or to connect. */
  dueMs: number;
  readonly #kind: TroubleKind;
  readonly #counts: TroubleCounts;
  readonly #target: TroubleSettings;
  readonly #whims: Whims;
  /** Acts on the connection that stands; false when it has left it. */
  #act: ((turn: number) => boolean) | undefined;
  #turn = 0;

  constructor(kind: TroubleKind, counts: TroubleCounts, target: TroubleSettings, whims: Whims, dueMs: number) {
    this.#kind = kind;
    this.#counts = counts;
    this.#target = target;
    this.#whims = whims;
    this.dueMs = dueMs;
  }

  step(nowMs: number): void {
    if (this.#act === undefined) {
      this.#connect();
      return;
    }
    this.dueMs = nowMs + this.#kind.everyMs;
    this.#counts.actions++;
    if (!this.#act(this.#turn++)) this.#comeBack(nowMs);
  }

  onOpen(connection: LoadConnection): void {
    const kind = this.#kind;
    if (kind.as === 'guest') this.#stands((turn) => kind.act(connection, turn, this.#whims));
  }

  onReady(socket: RawSocket): void {
    const kind = this.#kind;
    if (kind.as === 'stranger') this.#stands((turn) => kind.act(socket, turn, this.#whims));
  }

  /** What it is answered, and refused, is nothing to it. */
  onControl(): void {}

  onQuotes(_connection: LoadConnection, bytes: Uint8Array, start: number, end: number): number {
    reader.begin(bytes, start + 1, end);
    return reader.unsigned();
  }

  onClosed(): void {
    this.#counts.closed++;
    this.#comeBack(performance.now());
  }

  #connect(): void {
    const { host, port } = this.#target;
    // Not before this one has come to something.
    this.dueMs = Number.POSITIVE_INFINITY;
    this.#turn = 0;
    if (this.#kind.as === 'guest') new LoadConnection(0, { host, port, tls: false }, this);
    else new RawSocket({ host, port, subprotocol: this.#kind.subprotocol }, this);
  }

  #stands(act: (turn: number) => boolean): void {
    this.#counts.opened++;
    this.#act = act;
    this.dueMs = 0;
  }

  #comeBack(nowMs: number): void {
    this.#act = undefined;
    this.dueMs = nowMs + this.#kind.comeBackMs;
  }
}
