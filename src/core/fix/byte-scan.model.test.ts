import { readFileSync } from 'node:fs';
import t from 'tap';
import { renderByteScan } from '../../../scripts/render-byte-scan.ts';
import { fieldEnds, fieldStarts, fieldTags, indexFields, place, readBuffer, sumBytes } from './byte-scan.ts';
import { FixDecoder } from './fix-decoder.ts';
import { FixMessage, MESSAGE_FIELDS_MAX } from './fix-message.ts';
import { DATA_TAGS } from './generated/fix-tags.gen.ts';
import { seededRandom } from './testing/seeded-random.ts';

const ROUNDS = 4_000;
const SOH = 1;
const NEXT_FIELDS = Buffer.from('1=1\u0001'.repeat(40));
const seed = Number(process.env.OUTCRY_TEST_SEED ?? Date.now() % 1_000_000_000);

/** Fields of which none is entered; the characters are those next to the digits, and one whose low bits are a digit's. */
const NOT_PLAIN = [
  ...[
    '',
    '=',
    '1',
    '22',
    '1=',
    '22=',
    '333=',
    '4444=',
    '01=a',
    '022=a',
    '-1=a',
    '1:a',
    '22:a',
    '333:a',
    '96=a',
    '1234567890=a',
  ],
  ...['/', ':', '\u00b1'].flatMap((odd) => [
    `${odd}=a`,
    `${odd}1=a`,
    `1${odd}=a`,
    `${odd}22=a`,
    `2${odd}2=a`,
    `22${odd}=a`,
    `333${odd}=a`,
  ]),
];

interface Field {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** The fields before the first that is not plain, by a plain reading of the text. */
function naiveFields(buffer: Uint8Array, start: number, end: number): Field[] {
  const fields: Field[] = [];
  let at = start;
  while (at < end) {
    const fieldEnd = buffer.indexOf(SOH, at);
    const match = /^([1-9]\d{0,8})=./s.exec(Buffer.from(buffer.subarray(at, fieldEnd)).toString('latin1'));
    if (match === null || new Set<number>(DATA_TAGS).has(Number(match[1]))) break;
    fields.push({ tag: Number(match[1]), start: at + match[1]!.length + 1, end: fieldEnd });
    at = fieldEnd + 1;
  }
  return fields;
}

function indexedFields(count: number): Field[] {
  return Array.from({ length: count }, (_, i) => ({ tag: fieldTags[i]!, start: fieldStarts[i]!, end: fieldEnds[i]! }));
}

/** A body whose fields are plain, and one in forty is not. */
function randomBody(random: (below: number) => number): string {
  let body = '';
  for (let fields = 1 + random(60); fields > 0; fields--) {
    const digits = [1, 2, 2, 2, 3, 3, 3, 3, 4, 5, 9][random(11)]!;
    const tag = 10 ** (digits - 1) + random(9 * 10 ** (digits - 1));
    const value = Array.from({ length: 1 + random([2, 8, 30, 200][random(4)]!) }, () =>
      String.fromCharCode(2 + random(254)),
    ).join('');
    body += `${random(40) === 0 ? NOT_PLAIN[random(NOT_PLAIN.length)]! : `${tag}=${value}`}\u0001`;
  }
  return body;
}

t.test('index and sum against a naive reading, at every alignment, in the read buffer and outside', (t) => {
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  const foreign = new Uint8Array(65_536);
  let plain = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = Buffer.from(randomBody(random), 'latin1');
    const buffer = random(2) === 0 ? readBuffer : foreign;
    // What follows the body are fields too; the end of the buffer is one of the places.
    const room = buffer.length - bytes.length;
    const start = [random(128), random(room + 1), room][random(3)]!;
    const end = start + bytes.length;
    buffer.set(NEXT_FIELDS.subarray(0, buffer.length - end), end);
    buffer.set(bytes, start);
    const expected = naiveFields(buffer, start, end);
    const count = indexFields(place(buffer, start, end), start, end, 0);
    const found = indexedFields(count);
    const sum = sumBytes(place(buffer, start, end), start, end);
    const expectedSum = bytes.reduce((total, byte) => total + byte, 0) % 256;
    if (sum !== expectedSum || JSON.stringify(found) !== JSON.stringify(expected)) {
      t.same({ round, start, sum, found }, { round, start, sum: expectedSum, found: expected });
      break;
    }
    plain += count;
  }
  t.ok(plain > ROUNDS * 10, 'enough was indexed');
  t.end();
});

t.test('the index is filled from where it ended, to its last place and no further', (t) => {
  readBuffer.set(Buffer.from('1=a\u000122=b\u0001333=c\u0001'));
  const bias = place(readBuffer, 0, 15);
  t.equal(indexFields(bias, 0, 4, 0), 1);
  t.equal(indexFields(bias, 4, 15, 1), 3);
  t.same([...fieldTags.subarray(0, 3)], [1, 22, 333]);
  t.equal(indexFields(bias, 0, 15, MESSAGE_FIELDS_MAX - 2), MESSAGE_FIELDS_MAX);
  t.same([fieldTags.at(-1), fieldStarts[0], fieldEnds[0]], [22, 2, 3], 'what lies behind it is not written to');
  t.equal(indexFields(bias, 15, 15, 3), 3, 'nothing is nothing');
  t.equal(sumBytes(bias, 7, 7), 0);
  t.end();
});

t.test('a message keeps its index while others are decoded', (t) => {
  const decoder = new FixDecoder();
  const bodies = ['35=0\u0001112=one\u0001', '35=A\u0001', '35=D\u000111=three\u000155=X\u0001'].map((text) =>
    Buffer.from(text),
  );
  const messages = bodies.map(() => new FixMessage());
  const texts = (message: FixMessage): string[] =>
    Array.from({ length: message.count }, (_, i) => `${message.tags[i]}=${message.ascii(i)}`);
  for (let round = 0; round < 3; round++) {
    messages.forEach((message, i) => void decoder.decode(message, bodies[i]!, 0, bodies[i]!.length));
    t.same(messages.map(texts), [['35=0', '112=one'], ['35=A'], ['35=D', '11=three', '55=X']]);
  }
  t.end();
});

t.test('the module is what its text gives', async (t) => {
  const wat = readFileSync('src/core/fix/byte-scan.wat', 'utf8');
  t.equal(await renderByteScan(wat), readFileSync('src/core/fix/generated/byte-scan.gen.ts', 'utf8'));
});
