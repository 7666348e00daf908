import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { EchoApplication, echoSettings } from './echo-application.ts';
import { FixSession } from './fix-session.ts';
import { FixVersion } from './fix-version.ts';
import type { FixSessionProfile, LogonCredentials, LogonIdentity } from './session-contract.ts';
import { parseScenarios, playScenario, type Scenario, type ScenarioStage } from './testing/scenario.ts';

const VECTORS = 'src/core/fix/vectors';
const START_MS = Date.UTC(2026, 10, 23, 4, 0, 0);
const TICK_MS = 250;
/** Longer than any time-out that a scenario waits for. */
const END_WAIT_MS = 12_000;
/** What the stage puts before and behind a step's fields. */
const HEADER_BYTES_MAX = 80;

const scenarios: Scenario[] = readdirSync(VECTORS)
  .filter((file) => file.startsWith('session-'))
  .flatMap((file) => parseScenarios(readFileSync(`${VECTORS}/${file}`, 'utf8')));

interface Line {
  session: FixSession;
  sent: string[];
  ended: boolean;
}

/** The echo acceptor without sockets, on a clock of its own; inbound bytes are cut as `cut` says. */
class MemoryStage implements ScenarioStage {
  readonly #lines: Map<string, Line> = new Map();
  readonly #application = new EchoApplication();
  readonly #credentials: LogonCredentials | null;
  readonly #cut: (length: number) => number;
  #nowMs = START_MS;

  /** `cut(length)`: how many bytes of a message come in at once. */
  constructor(credentials: LogonCredentials | null, cut: (length: number) => number) {
    this.#credentials = credentials;
    this.#cut = cut;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  async connect(connection: string): Promise<void> {
    const sent: string[] = [];
    const transport = {
      send: (buffer: Uint8Array, start: number, end: number) => {
        sent.push(Buffer.from(buffer.subarray(start, end)).toString('latin1').replaceAll('\u0001', '|'));
      },
      disconnect: () => {
        line.ended = true;
      },
    };
    const identify = (session: FixSession, logon: LogonIdentity): FixSessionProfile | null => {
      for (const other of this.#lines.values()) {
        const isSame = other.session.settings.beginString === logon.beginString;
        if (other.session !== session && other.session.isLive && isSame) return null;
      }
      return this.#application.identify(session, logon);
    };
    const application = {
      identify,
      onLogon: (session: FixSession) => this.#application.onLogon(session),
      onMessage: this.#application.onMessage.bind(this.#application),
      onGap: () => {},
      onLogout: (session: FixSession) => this.#application.onLogout(session),
    };
    const session = new FixSession(echoSettings(FixVersion.Fix44, this.#credentials), transport, application);
    const line: Line = { session, sent, ended: false };
    this.#lines.set(connection, line);
    session.connected(this.#nowMs);
  }

  async send(connection: string, bytes: Uint8Array): Promise<void> {
    const { session } = this.#line(connection);
    const size = this.#cut(bytes.length);
    for (let at = 0; at < bytes.length; at += size) {
      const part = Uint8Array.from(bytes.subarray(at, at + size));
      session.receive(part, 0, part.length, this.#nowMs);
      part.fill(0x2a);
    }
  }

  async next(connection: string): Promise<string> {
    const line = this.#line(connection);
    for (let waited = 0; line.sent.length === 0 && !line.ended && waited < END_WAIT_MS; waited += TICK_MS) this.#tick();
    const message = line.sent.shift();
    if (message === undefined && !line.ended) throw new Error('nothing goes out, and the connection stands');
    return message ?? '';
  }

  unread(connection: string): string {
    return this.#line(connection).sent.join(' ');
  }

  async drop(connection: string): Promise<void> {
    this.#line(connection).session.disconnected(this.#nowMs);
  }

  async wait(seconds: number): Promise<void> {
    for (let ms = 0; ms < seconds * 1000; ms += TICK_MS) this.#tick();
  }

  #line(connection: string): Line {
    const line = this.#lines.get(connection);
    if (line === undefined) throw new Error(`no connection ${connection}`);
    return line;
  }

  #tick(): void {
    this.#nowMs += TICK_MS;
    for (const { session } of this.#lines.values()) session.onTimer(this.#nowMs);
  }
}

async function play(scenario: Scenario, cut: (length: number) => number): Promise<string> {
  try {
    return await playScenario(scenario, new MemoryStage(scenario.credentials, cut));
  } catch (error) {
    return String(error);
  }
}

t.test('every rule of the session, in both versions', async (t) => {
  t.ok(scenarios.length >= 150, `${scenarios.length} scenarios`);
  for (const scenario of scenarios) t.equal(await play(scenario, (length) => length), '', scenario.name);
});

t.test('however the bytes are cut', { timeout: 120_000 }, async (t) => {
  // Framing does not know versions: one is enough where there are two.
  const seen = new Set<string>();
  for (const scenario of scenarios) {
    const name = scenario.name.replace(/ \(.*\)$/, '');
    if (seen.has(name)) continue;
    seen.add(name);
    const longest = Math.max(...scenario.steps.map((step) => step.length)) + HEADER_BYTES_MAX;
    const wrong: number[] = [];
    for (let size = 1; size < longest; size++) if ((await play(scenario, () => size)) !== '') wrong.push(size);
    t.same(wrong, [], `${name}: in pieces of every size`);
  }
});
