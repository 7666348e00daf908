import t from 'tap';
import { FixVersion } from './fix-version.ts';
import { fuzzSession } from './testing/session-fuzz.ts';

const MESSAGES = 60_000;

for (const version of Object.values(FixVersion)) {
  t.test(`mutated messages into a validating session, ${version}: the numbers are never wrong`, (t) => {
    const seed = Number(process.env.OUTCRY_TEST_SEED ?? 20_261_122);
    t.comment(`seed ${seed}`);
    const report = fuzzSession({ seed, version, messages: MESSAGES });
    t.comment(JSON.stringify(report));
    t.equal(report.messages, MESSAGES);
    for (const count of ['delivered', 'rejected', 'sent', 'resent', 'logons', 'probes'] as const)
      t.ok(report[count] > MESSAGES / 200, `${count}: ${report[count]}`);
    t.end();
  });
}
