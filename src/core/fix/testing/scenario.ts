import { ECHO_COMP_ID, ECHO_COUNTERPARTIES } from '../echo-application.ts';
import { FixVersion } from '../fix-version.ts';
import type { LogonCredentials } from '../session-contract.ts';

/**
 * Session scenarios in Markdown (`vectors/session-*.md`): a `## name`, prose, and a fenced block of steps, one a line, `|` for SOH.
 * - `I 35=D|34=2|…` comes in: 8, 9, 10, the CompIDs and SendingTime(52) are put in where the line has none. `I raw …` puts in 8, 9 and 10
 *   alone, `I bytes …` nothing.
 * - `E 35=D|34=2|…` goes out: exactly these fields beside 8, 9, 10, 49, 52, 56, in any order; `*` stands for any value, `@4.4` behind a field
 *   for that version only.
 * - `D` the acceptor hangs up, within its time-outs. `X` the counterparty does. `C` it connects again. `W 3` three seconds go by.
 * A digit behind the letter is a second connection's: `C2`, `I2 …`. `<now>`, `<now-121>`: a UTCTimestamp, seconds off.
 * `- credentials: DESK open sesame`: the acceptor asks for this username and password.
 * Every scenario starts connected, is run in both versions, and has nothing more going out than it says.
 */
export interface Scenario {
  readonly name: string;
  readonly version: FixVersion;
  readonly steps: readonly string[];
  /** Seconds that go by in it: those of its `W`, or as `- slow: 10 s` says. */
  readonly seconds: number;
  /** What its acceptor asks for; null for nothing. */
  readonly credentials: LogonCredentials | null;
}

/** Where a scenario runs: an acceptor, and the connections of its counterparty. */
export interface ScenarioStage {
  connect(connection: string): Promise<void>;
  send(connection: string, bytes: Uint8Array): Promise<void>;
  /** The next message as text with `|`, '' for the end of the connection. Fails when neither comes. */
  next(connection: string): Promise<string>;
  /** What has gone out and was not asked for yet, as far as can be said at once. */
  unread(connection: string): string;
  drop(connection: string): Promise<void>;
  wait(seconds: number): Promise<void>;
  nowMs(): number;
}

const SOH = '\u0001';
/** What an `E` line need not name. */
const COMMON_TAGS = new Set(['8', '9', '10', '49', '52', '56']);

export function parseScenarios(markdown: string): Scenario[] {
  return markdown
    .split(/^## /m)
    .slice(1)
    .flatMap((section) => {
      const name = section.slice(0, section.indexOf('\n'));
      const block = /```fix\n([\s\S]*?)\n```/.exec(section)?.[1];
      if (block === undefined) return [];
      const steps = block.split('\n').filter((line) => line !== '');
      const waits = steps.reduce((sum, step) => sum + Number(/^W (.*)$/.exec(step)?.[1] ?? 0), 0);
      const seconds = Number(/^- slow: (\d+) s$/m.exec(section)?.[1] ?? waits);
      const [, username = '', password = ''] = /^- credentials: (\S+) (.+)$/m.exec(section) ?? [];
      const credentials = username === '' ? null : { username, password };
      const only = /^- only: (.*)$/m.exec(section)?.[1];
      return Object.values(FixVersion)
        .filter((version) => only === undefined || version.endsWith(only))
        .map((version) => ({ name: `${name} (${version})`, version, steps, seconds, credentials }));
    });
}

/** Runs a scenario; a text says what went otherwise, '' that nothing did. */
export async function playScenario({ version, steps }: Scenario, stage: ScenarioStage): Promise<string> {
  const connections = new Set(['1']);
  await stage.connect('1');
  for (const step of steps) {
    const connection = /^[A-Z](\d)/.exec(step)?.[1] ?? '1';
    const text = step.replace(/^[A-Z]\d? ?/, '');
    const kind = step.charAt(0);
    if (kind !== 'E') {
      for (const open of connections) {
        const unread = stage.unread(open);
        if (unread !== '') return `before "${step}" went out: ${unread}`;
      }
    }
    if (kind === 'I') {
      await stage.send(connection, encodeInbound(text, version, stage.nowMs()));
    } else if (kind === 'E') {
      const fault = compare(await stage.next(connection), text, version);
      if (fault !== '') return `"${step}": ${fault}`;
    } else if (kind === 'D') {
      const message = await stage.next(connection);
      if (message !== '') return `"${step}": no end, but ${message}`;
      connections.delete(connection);
    } else if (kind === 'C') {
      await stage.connect(connection);
      connections.add(connection);
    } else if (kind === 'X') {
      await stage.drop(connection);
      connections.delete(connection);
    } else if (kind === 'W') {
      await stage.wait(Number(text));
    } else {
      return `no step: ${step}`;
    }
  }
  for (const open of connections) {
    const unread = stage.unread(open);
    if (unread !== '') return `at the end went out: ${unread}`;
    await stage.drop(open);
  }
  return '';
}

function utcTimestamp(ms: number): string {
  return new Date(ms).toISOString().replaceAll('-', '').replace('T', '-').replace('Z', '');
}

function encodeInbound(text: string, version: FixVersion, nowMs: number): Uint8Array {
  const timed = text.replace(/<now([+-]\d+)?>/g, (_, offset) => utcTimestamp(nowMs + Number(offset ?? 0) * 1000));
  if (timed.startsWith('bytes ')) return bytesOf(timed.slice(6));
  const raw = timed.startsWith('raw ');
  const fields = (raw ? timed.slice(4) : timed).split('|').filter((field) => field !== '');
  const take = (tag: string): string | undefined => {
    const at = fields.findIndex((field) => field.startsWith(`${tag}=`));
    return at < 0 ? undefined : fields.splice(at, 1)[0];
  };
  const begin = take('8') ?? `8=${version}`;
  const length = take('9');
  const checkSum = take('10');
  if (!raw) {
    const [msgType = ''] = fields.splice(0, 1);
    const header = [
      take('49') ?? `49=${ECHO_COUNTERPARTIES[version]}`,
      take('56') ?? `56=${ECHO_COMP_ID}`,
      take('34') ?? '',
      take('52') ?? `52=${utcTimestamp(nowMs)}`,
    ];
    fields.unshift(msgType, ...header.filter((field) => field !== ''));
  }
  const body = fields.map((field) => field + SOH).join('');
  const head = `${begin}${SOH}${length ?? `9=${body.length}`}${SOH}${body}`;
  let sum = 0;
  for (const byte of Buffer.from(head, 'latin1')) sum += byte;
  return bytesOf(`${head}${checkSum ?? `10=${String(sum % 256).padStart(3, '0')}`}|`);
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text.replaceAll('|', SOH), 'latin1');
}

function compare(message: string, expected: string, version: FixVersion): string {
  if (message === '') return 'the connection ended';
  const actual = new Map<string, string[]>();
  for (const field of message.split('|').filter((text) => text !== '')) {
    const at = field.indexOf('=');
    const tag = field.slice(0, at);
    if (!COMMON_TAGS.has(tag)) actual.set(tag, [...(actual.get(tag) ?? []), field.slice(at + 1)]);
  }
  if (!message.includes(`|49=${ECHO_COMP_ID}|`) || !message.includes(`|56=${ECHO_COUNTERPARTIES[version]}|`))
    return `wrong CompIDs in ${message}`;
  for (const item of expected.split('|')) {
    const [field = '', only] = item.split('@');
    if (only !== undefined && !version.endsWith(only)) continue;
    const at = field.indexOf('=');
    const values = actual.get(field.slice(0, at));
    const value = field.slice(at + 1);
    const found = values?.shift();
    if (found === undefined || (value !== '*' && !isSame(found, value))) return `not ${field} in ${message}`;
    if (values?.length === 0) actual.delete(field.slice(0, at));
  }
  return actual.size === 0 ? '' : `more than expected (${[...actual.keys()].join()}) in ${message}`;
}

/** A time is a time: `<now>` in what goes out was taken when it came in. */
function isSame(found: string, value: string): boolean {
  return found === value || (value.startsWith('<now') && /^\d{8}-\d\d:\d\d:\d\d(\.\d+)?$/.test(found));
}
