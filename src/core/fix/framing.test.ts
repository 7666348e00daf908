import { readFileSync } from 'node:fs';
import t from 'tap';
import { renderDictionary } from '../../../scripts/render-dictionary.ts';
import { renderFixEnums, renderFixTags } from '../../../scripts/render-fix.ts';
import { FixDecoder } from './fix-decoder.ts';
import { FixEncoder, MESSAGE_BYTES_MAX } from './fix-encoder.ts';
import { FixMessage } from './fix-message.ts';
import { FixReceiver } from './fix-receiver.ts';
import { seededRandom } from './testing/seeded-random.ts';

interface Vector {
  name: string;
  bytes: Uint8Array;
  delivered: string;
  garbledBytes: number;
}

/** `## name`, a fenced block of bytes with `|` for SOH, then `- delivered:` and `- garbled bytes:`. */
function parseVectors(markdown: string): Vector[] {
  return markdown
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const block = /```fix\n([\s\S]*?)\n```/.exec(section)?.[1] ?? '';
      const delivered = /^- delivered: (.*)$/m.exec(section)?.[1] ?? '';
      return {
        name: section.slice(0, section.indexOf('\n')),
        bytes: Buffer.from(block.replaceAll('\n', '').replaceAll('|', '\u0001'), 'latin1'),
        delivered: delivered === 'none' ? '' : delivered,
        garbledBytes: Number(/^- garbled bytes: (\d+)$/m.exec(section)?.[1] ?? Number.NaN),
      };
    });
}

/** Bytes that mean something to the framer, and some that do not. */
const MUTANTS = Buffer.from('\u0001\u0001=8901345FIXx\u0000\u00ff', 'latin1');

interface Outcome {
  delivered: string;
  garbledBytes: number;
}

/** Feeds `parts` one after another, each in a buffer that is overwritten as soon as it has been taken. */
function feed(parts: readonly Uint8Array[]): Outcome {
  const delivered: string[] = [];
  let garbledBytes = 0;
  const message = new FixMessage();
  const decoder = new FixDecoder();
  const receiver = new FixReceiver({
    onFrame(buffer, framer) {
      decoder.decode(message, buffer, framer.bodyStart, framer.trailerStart);
      delivered.push(message.ascii(0));
      return true;
    },
    onGarbled(byteCount) {
      garbledBytes += byteCount;
      return true;
    },
  });
  for (const part of parts) {
    const read = Uint8Array.from(part);
    receiver.receive(read, 0, read.length);
    read.fill(0x2a);
  }
  return { delivered: delivered.join(' '), garbledBytes };
}

t.test('framing vectors, cut at every byte', (t) => {
  const vectors = parseVectors(readFileSync('src/core/fix/vectors/framing.md', 'utf8'));
  t.ok(vectors.length >= 20, `${vectors.length} vectors`);
  for (const { name, bytes, delivered, garbledBytes } of vectors) {
    const expected = { delivered, garbledBytes };
    t.same(feed([bytes]), expected, `${name}: whole`);
    t.same(feed(Array.from(bytes, (byte) => Uint8Array.of(byte))), expected, `${name}: byte by byte`);
    const wrongCuts: number[] = [];
    for (let cut = 1; cut < bytes.length; cut++) {
      const outcome = feed([bytes.subarray(0, cut), bytes.subarray(cut)]);
      if (outcome.delivered !== delivered || outcome.garbledBytes !== garbledBytes) wrongCuts.push(cut);
    }
    t.same(wrongCuts, [], `${name}: cut in two`);
  }
  t.end();
});

t.test('mutated streams: however they are cut, the outcome is that of one read', (t) => {
  const seed = Number(process.env.OUTCRY_TEST_SEED ?? 20_261_122);
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  const good = Buffer.concat(
    parseVectors(readFileSync('src/core/fix/vectors/framing.md', 'utf8')).map((vector) => vector.bytes),
  );
  for (let round = 0; round < 400; round++) {
    const bytes = Buffer.from(good);
    for (let mutations = random(12); mutations > 0; mutations--)
      bytes[random(bytes.length)] = MUTANTS[random(MUTANTS.length)]!;
    const parts: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + random(random(2) === 0 ? 8 : 400);
      parts.push(bytes.subarray(at, at + size));
      at += size;
    }
    const whole = feed([bytes]);
    const cut = feed(parts);
    if (whole.delivered !== cut.delivered || whole.garbledBytes !== cut.garbledBytes)
      t.same(cut, whole, `round ${round}`);
  }
  t.end();
});

t.test('a stream of the longest messages, in reads of odd sizes', (t) => {
  const encoder = new FixEncoder('FIX.4.4');
  const text = 'x'.repeat(MESSAGE_BYTES_MAX - 200);
  encoder.setCompIDs('A', 'B');
  encoder.begin(66, 1, 0);
  encoder.ascii(58, text);
  t.equal(encoder.finish(), 0);
  const one = encoder.buffer.slice(encoder.start, encoder.end);
  const stream = Buffer.concat([one, one, one]);
  for (const size of [1021, 4096, 65_535, 65_536, 100_000]) {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < stream.length; at += size) parts.push(stream.subarray(at, at + size));
    t.same(feed(parts), { delivered: 'B B B', garbledBytes: 0 }, `reads of ${size} bytes`);
  }
  t.end();
});

t.test('a receiver that is told to stop delivers no more until it is reset', (t) => {
  const bytes = parseVectors(readFileSync('src/core/fix/vectors/framing.md', 'utf8'))[1]!.bytes;
  let count = 0;
  const receiver = new FixReceiver({
    onFrame() {
      count++;
      return false;
    },
    onGarbled: () => false,
  });
  receiver.receive(bytes, 0, bytes.length);
  receiver.receive(bytes, 0, bytes.length);
  t.equal(count, 1);
  receiver.reset();
  receiver.receive(bytes, 0, bytes.length);
  t.equal(count, 2);
  t.end();
});

t.test('the generated constants are what the dictionary gives', (t) => {
  const xml = readFileSync('node_modules/jspurefix/data/FIX44.xml', 'utf8');
  t.equal(renderFixTags(xml), readFileSync('src/core/fix/generated/fix-tags.gen.ts', 'utf8'));
  t.equal(renderFixEnums(xml), readFileSync('src/core/fix/generated/fix-enums.gen.ts', 'utf8'));
  for (const [version, beginString] of [
    ['fix42', 'FIX.4.2'],
    ['fix44', 'FIX.4.4'],
  ] as const) {
    const source = readFileSync(`node_modules/jspurefix/data/${version.toUpperCase()}.xml`, 'utf8');
    const committed = readFileSync(`src/core/fix/generated/dictionary-${version}.gen.ts`, 'utf8');
    t.equal(renderDictionary(source, beginString, `${version}Tables`), committed, beginString);
  }
  t.throws(() => renderFixTags('<fix>\n</fix>'), { code: 'CONFIG_INVALID' }, 'a dictionary without the fields');
  t.end();
});
