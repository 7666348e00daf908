import { EchoApplication, echoSettings } from '../echo-application.ts';
import type { FixMessage } from '../fix-message.ts';
import { FixSession } from '../fix-session.ts';
import { MemoryFixStore } from '../fix-store.ts';
import type { FixVersion } from '../fix-version.ts';
import type { FixTransport } from '../session-contract.ts';
import { seededRandom } from './seeded-random.ts';
export interface SessionFuzzOptions {
  seed: number;
  version: FixVersion;
  /** Messages in, connections' Logons and probes included. */
  messages: number;
}

/** What happened: a run in which little of anything did is no test. */
export interface SessionFuzzReport {
  readonly messages: number;
  readonly delivered: number;
  readonly rejected: number;
  readonly sent: number;
  readonly resent: number;
  readonly logons: number;
  readonly probes: number;
}

const SOH = '\u0001';
const START_MS = Date.UTC(2026, 10, 23, 4, 0, 0);
/** Bytes that mean something to a FIX engine, and some that do not. */
const BYTES = `${SOH}${SOH}==0123456789-+.:YNADFGjZz 8=FIX\u0000\u00ff`;
const TAGS = [
  '0',
  '-1',
  '7',
  '8',
  '9',
  '10',
  '11',
  '16',
  '34',
  '35',
  '36',
  '43',
  '52',
  '55',
  '97',
  '122',
  '123',
  '141',
  '386',
  '453',
  '999',
  '5000',
  'x',
];
const VALUES = [
  '',
  '0',
  '-1',
  '1',
  '2',
  '999999',
  '99999999999999',
  'Y',
  'N',
  'x',
  '1.5',
  '20261123-04:00:00',
  '20261123-23:59:60.999999',
];
const PROBE_EVERY = 16;
const STORE_BYTES = 65_536;
/** Bodies behind the header; a field each. */
const TEMPLATES = [
  ['35=0'],
  ['35=0', '112=x'],
  ['35=1', '112=are you there'],
  ['35=2', '7=1', '16=0'],
  ['35=2', '7=2', '16=3'],
  ['35=3', '45=2', '58=bad'],
  ['35=4', '123=Y', '36=<next+1>'],
  ['35=4', '36=<next+3>'],
  ['35=5', '58=bye'],
  ['35=A', '98=0', '108=30'],
  ['35=A', '98=0', '108=30', '141=Y'],
  ['35=D', '11=o', '21=1', '55=INFY', '54=1', '60=20261123-04:00:00', '38=100', '40=2', '44=1450.25'],
  ['35=D', '11=o', '21=1', '55=INFY', '54=1', '60=20261123-04:00:00', '38=100', '40=1', '386=2', '336=a', '336=b'],
  ['35=d', '320=a', '322=b', '323=6', '55=INFY', '58=text'],
  ['35=V', '262=r', '263=1', '264=5', '265=1', '267=2', '269=0', '269=1', '146=2', '55=INFY', '55=TCS'],
  ['35=8', '37=v', '17=e', '20=0', '150=0', '39=0', '55=INFY', '54=1', '151=100', '14=0', '6=0.0'],
  ['35=B', '148=news', '33=1', '58=line', '95=5', `96=a${SOH}b=c`],
];
class Fuzz {
  messages = 0;
  delivered = 0;
  sent = 0;
  resent = 0;
  logons = 0;
  probes = 0;
  readonly #options: SessionFuzzOptions;
  readonly #random: (below: number) => number;
  readonly #store = new MemoryFixStore(STORE_BYTES);
  readonly #session: FixSession;
  readonly #echo = new EchoApplication();
  #nowMs = START_MS;
  #connected = false;
  #text = '';
  /** What the session must show next: its own numbers, counted from outside. */
  #epoch = 0;
  #nextOut = 1;
  #lastDelivered = 0;
  #lastIn = 1;
  #lastSent = '';
  /** TestReqID(112) of the last Heartbeat out that answered a probe. */
  #lastProbeAnswer = '';
  constructor(options: SessionFuzzOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    const transport: FixTransport = {
      send: (buffer, start, end) => this.#onSent(buffer, start, end),
      disconnect: () => {
        this.#connected = false;
      },
    };
    this.#session = new FixSession(
      echoSettings(options.version, null),
      transport,
      {
        onLogon: (session) => {
          this.logons++;
          this.#echo.onLogon(session);
        },
        onMessage: (session, message) => this.#onMessage(session, message),
        onGap: () => {},
        onLogout: (session) => this.#echo.onLogout(session),
      },
      this.#store,
    );
    this.#epoch = this.#store.epoch;
  }
  get rejected(): number {
    return this.#session.rejectsSent;
  }
  run(): SessionFuzzReport {
    while (this.messages < this.#options.messages) {
      this.messages++;
      if (!this.#connected) this.#logOn();
      else if (this.messages % PROBE_EVERY === 0) this.#probe();
      else this.#receive(this.#mutant());
      if (this.#random(64) === 0) this.#pass(this.#random(20_000));
    }
    const { messages, delivered, rejected, sent, resent, logons, probes } = this;
    return { messages, delivered, rejected, sent, resent, logons, probes };
  }
  #logOn(): void {
    this.#session.disconnected(this.#nowMs);
    this.#session.connected(this.#nowMs);
    this.#connected = true;
    // Mostly as it should be, so that there is a session to attack.
    const fields = ['35=A', '98=0', `108=${this.#random(4) * 10}`];
    this.#receive(this.#random(8) === 0 ? this.#mutate(fields) : this.#frame(this.#withHeader(fields, 1)));
  }
  /** A sound session answers a sound TestRequest, and the numbers move by one. */
  #probe(): void {
    const session = this.#session;
    // Ends a message that waits for its end, so that the probe is seen for itself.
    this.#receive(`${SOH}10=000${SOH}`.repeat(2));
    if (!session.loggedOn) return;
    const expected = session.nextInSeqNum;
    const testReqID = `probe-${this.messages}`;
    const pendingBytes = session.messagesIn;
    this.#receive(this.#frame(this.#withHeader(['35=1', `112=${testReqID}`], expected)));
    if (session.messagesIn === pendingBytes) return;
    this.probes++;
    this.#check(session.nextInSeqNum > expected, `the number stays ${expected} after a TestRequest`);
    this.#check(this.#lastProbeAnswer === testReqID, `TestRequest ${testReqID} is not answered`);
  }
  #mutant(): string {
    const template = TEMPLATES[this.#random(TEMPLATES.length)]!;
    const next = this.#session.nextInSeqNum;
    return this.#mutate(
      template.map((field) => field.replace(/<next\+(\d)>/, (_, offset) => String(next + Number(offset)))),
    );
  }
  #mutate(fields: readonly string[]): string {
    const random = this.#random;
    const mutated = this.#withHeader(fields, this.#number());
    for (let count = random(4); count > 0; count--) this.#mutateFields(mutated);
    let text = this.#frame(mutated);
    if (random(12) === 0) text = this.#damage(text);
    return random(40) === 0 ? text + text : text;
  }
  /** The number expected, most of the time. */
  #number(): number {
    const next = this.#session.nextInSeqNum;
    const choice = this.#random(12);
    if (choice === 0) return next + 1 + this.#random(5);
    if (choice === 1) return this.#random(next + 1);
    return next;
  }
  #mutateFields(fields: string[]): void {
    const random = this.#random;
    const at = random(fields.length);
    const field = fields[at]!;
    const tag = field.slice(0, field.indexOf('='));
    switch (random(8)) {
      case 0:
        fields.splice(at, 1);
        break;
      case 1:
        fields.splice(random(fields.length + 1), 0, field);
        break;
      case 2: {
        const other = random(fields.length);
        fields[at] = fields[other]!;
        fields[other] = field;
        break;
      }
      case 3:
        fields[at] = `${tag}=${VALUES[random(VALUES.length)]}`;
        break;
      case 4:
        fields[at] = `${TAGS[random(TAGS.length)]}${field.slice(tag.length)}`;
        break;
      case 5:
        fields.splice(random(fields.length + 1), 0, `${TAGS[random(TAGS.length)]}=${VALUES[random(VALUES.length)]}`);
        break;
      case 6: {
        const byte = random(field.length);
        fields[at] = field.slice(0, byte) + BYTES.charAt(random(BYTES.length)) + field.slice(byte + random(2));
        break;
      }
      default:
        fields.splice(1 + random(fields.length), 0, '43=Y', '122=20261123-03:59:59');
    }
  }
  /** Behind BodyLength and CheckSum: what a broken line does. */
  #damage(text: string): string {
    const random = this.#random;
    const at = random(text.length);
    if (random(3) === 0) return text.slice(0, at);
    return text.slice(0, at) + BYTES.charAt(random(BYTES.length)) + text.slice(at + random(3));
  }
  #withHeader(fields: readonly string[], msgSeqNum: number): string[] {
    const { senderCompID, targetCompID } = this.#session.settings;
    const [msgType = '', ...body] = fields;
    return [
      msgType,
      `49=${targetCompID}`,
      `56=${senderCompID}`,
      `34=${msgSeqNum}`,
      `52=${timestamp(this.#nowMs)}`,
      ...body,
    ];
  }
  #frame(fields: readonly string[]): string {
    const body = fields.map((field) => field + SOH).join('');
    const text = `8=${this.#options.version}${SOH}9=${body.length}${SOH}${body}`;
    let sum = 0;
    for (let i = 0; i < text.length; i++) sum += text.charCodeAt(i);
    return `${text}10=${String(sum % 256).padStart(3, '0')}${SOH}`;
  }
  #receive(text: string): void {
    this.#text = text;
    const bytes = Buffer.from(text, 'latin1');
    const cut = this.#random(bytes.length + 1);
    this.#session.receive(bytes, 0, cut, this.#nowMs);
    this.#session.receive(bytes, cut, bytes.length, this.#nowMs);
    this.#checkNumbers();
  }
  #pass(ms: number): void {
    this.#nowMs += ms;
    this.#session.onTimer(this.#nowMs);
    this.#checkNumbers();
  }
  #checkNumbers(): void {
    const session = this.#session;
    const store = this.#store;
    this.#enterEpoch();
    this.#check(session.nextOutSeqNum === this.#nextOut, `next out is ${session.nextOutSeqNum}, not ${this.#nextOut}`);
    this.#check(
      session.nextInSeqNum >= this.#lastIn,
      `next in went back from ${this.#lastIn} to ${session.nextInSeqNum}`,
    );
    this.#check(session.nextInSeqNum === store.nextTargetMsgSeqNum, 'the store has another number');
    this.#lastIn = session.nextInSeqNum;
  }
  #enterEpoch(): void {
    if (this.#epoch === this.#store.epoch) return;
    this.#epoch = this.#store.epoch;
    this.#nextOut = 1;
    this.#lastIn = 1;
    this.#lastDelivered = 0;
  }
  #onMessage(session: FixSession, message: FixMessage): void {
    this.delivered++;
    this.#enterEpoch();
    const { msgSeqNum } = message;
    this.#check(msgSeqNum > this.#lastDelivered, `${msgSeqNum} is delivered after ${this.#lastDelivered}`);
    this.#check(msgSeqNum === session.nextInSeqNum - 1, `${msgSeqNum} is delivered out of turn`);
    this.#lastDelivered = msgSeqNum;
    this.#echo.onMessage(session, message);
  }
  /** Every message out is whole, and new ones are numbered one after another. */
  #onSent(buffer: Uint8Array, start: number, end: number): void {
    this.#enterEpoch();
    const text = Buffer.from(buffer.subarray(start, end)).toString('latin1');
    this.#lastSent = text;
    const found = /^8=[^=]*9=(\d+)\D/.exec(text);
    const bodyLength = found === null ? 0 : text.length - found[0].length - '10=000|'.length;
    this.#check(Number(found?.[1]) === bodyLength, 'BodyLength is wrong');
    let sum = 0;
    for (let i = 0; i < text.length - 7; i++) sum += text.charCodeAt(i);
    this.#check(text.endsWith(`10=${String(sum % 256).padStart(3, '0')}${SOH}`), 'CheckSum is wrong');
    const msgSeqNum = Number(fieldOf(text, '34'));
    if (fieldOf(text, '43') === 'Y') {
      this.resent++;
      this.#check(msgSeqNum < this.#nextOut, `${msgSeqNum} was never sent`);
      return;
    }
    this.sent++;
    this.#check(msgSeqNum === this.#nextOut, `${msgSeqNum} goes out, not ${this.#nextOut}`);
    this.#nextOut++;
    // Behind the probe may come answers to TestRequests that were held until then.
    const answered = fieldOf(text, '35') === '0' ? fieldOf(text, '112') : '';
    if (answered.startsWith('probe-')) this.#lastProbeAnswer = answered;
  }
  #check(holds: boolean, text: string): void {
    if (holds) return;
    const { seed, version } = this.#options;
    throw new Error(
      `seed ${seed}, ${version}, message ${this.messages}: ${text}; in ${this.#text}, out ${this.#lastSent}`.replaceAll(
        SOH,
        '|',
      ),
    );
  }
}
/** Throws where a number is wrong or a message out is not whole; otherwise says what happened. */
export function fuzzSession(options: SessionFuzzOptions): SessionFuzzReport {
  return new Fuzz(options).run();
}
function fieldOf(text: string, tag: string): string {
  const at = text.indexOf(`${SOH}${tag}=`);
  return at < 0 ? '' : text.slice(at + tag.length + 2, text.indexOf(SOH, at + 1));
}
function timestamp(ms: number): string {
  return new Date(ms).toISOString().replaceAll('-', '').replace('T', '-').replace('Z', '');
}
