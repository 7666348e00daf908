/** Arrays in binary arrive in PostgreSQL as they were meant. */
import t from 'tap';
import { NumberArray, TextArray } from './binary-array.ts';
import { clientConfig, connectLedger } from './ledger-target.ts';
import { openTestDatabase } from './testing/ledger-fixture.ts';

const database = await openTestDatabase(t.testdir());
const { client } = await connectLedger(clientConfig(database.target, 'engine'));
t.teardown(async () => {
  await client.end();
  await database.close();
});

t.test('numbers to the last that a number can carry, and NULL', async (t) => {
  const { MAX_SAFE_INTEGER, MIN_SAFE_INTEGER } = Number;
  const values = [0, 1, -1, 2 ** 31, -(2 ** 31), 2 ** 32, -(2 ** 32), 2 ** 32 - 1, MAX_SAFE_INTEGER, MIN_SAFE_INTEGER];
  const array = new NumberArray(2);
  for (let i = 0; i < 2; i++) {
    array.clear();
    for (const value of values) {
      array.add(value);
      array.addNull();
    }
    const { rows } = await client.query('SELECT to_json($1::bigint[]) AS json', [array.encoded()]);
    t.same(
      rows[0].json,
      values.map((value) => [value, null]),
    );
  }
  array.clear();
  t.same((await client.query('SELECT $1::bigint[]::text AS none', [array.encoded()])).rows, [{ none: '{}' }]);
  for (const value of [0.5, -0.5, 2 ** 53 + 2, -(2 ** 54), 1e300, Number.NaN, Number.POSITIVE_INFINITY])
    t.throws(() => array.add(value), { message: /beyond every amount/ }, `${value}`);
});

t.test('texts of every length and character; a zero byte is replaced', async (t) => {
  const long = Array.from({ length: 200 }, (_, i) => 'a'.repeat(i));
  const values = ['', '"{},\\\n', 'NULL', 'é', 'x'.repeat(39), `${'x'.repeat(39)}€`, '€'.repeat(5_000), '😀', ...long];
  const array = new TextArray(1);
  for (let i = 0; i < 2; i++) {
    array.clear();
    for (const value of [...values, 'a\0b', `${'a'.repeat(60)}\0`]) array.add(value);
    array.addNull();
    const { rows } = await client.query('SELECT to_json($1::text[]) AS json', [array.encoded()]);
    const wanted = [...values, 'a\ufffdb', `${'a'.repeat(60)}\ufffd`, null];
    t.same(
      rows[0].json,
      wanted.map((value) => [value]),
    );
  }
});
