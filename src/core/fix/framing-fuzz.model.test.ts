import t from 'tap';
import { fuzzFraming } from './testing/framing-fuzz.ts';

const MESSAGES = 20_000;

t.test('mutated messages: the same in one piece and in cuts, and what a plain reading of their text says', (t) => {
  const seed = Number(process.env.OUTCRY_TEST_SEED ?? Date.now() % 1_000_000_000);
  t.comment(`seed ${seed}`);
  const { messages, framed, garbledBytes, faults } = fuzzFraming(seed, MESSAGES);
  t.same(faults, []);
  t.equal(messages, MESSAGES);
  t.ok(framed > MESSAGES / 10 && garbledBytes > MESSAGES, 'both kinds were met');
  t.end();
});
