import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readRiskLimits } from './risk-limits-file.ts';

t.test('limits in three tables', async (t) => {
  const path = join(t.testdir(), 'limits.toml');
  writeFileSync(
    path,
    '[global]\nordersPerSecond = 20\nconcentrationBps = "off"\n[instruments.RELIANCE]\npositionQty = 10_000\n[users.42]\nordersPerDay = 500\n',
  );
  t.strictSame(readRiskLimits(path), {
    global: { ordersPerSecond: 20, concentrationBps: null },
    instruments: { RELIANCE: { positionQty: 10_000 } },
    users: { 42: { ordersPerDay: 500 } },
  });
  t.strictSame(readRiskLimits(''), { global: {}, instruments: {}, users: {} }, 'no file, no limits of its own');
});

t.test('what is wrong is named, and where', async (t) => {
  const path = join(t.testdir(), 'limits.toml');
  for (const [text, expected] of [
    ['[global]\nordersPerSecond = -1', /global: ordersPerSecond must be a whole number from 0 to 4096/],
    ['[global]\nordersPerSecond = 1.5', /ordersPerSecond must be a whole number/],
    ['[global]\nordersPerSecond = "many"', /global\.ordersPerSecond: must be a number or "off"/],
    ['[global]\nmisMarginBps = "off"', /misMarginBps cannot be turned off/],
    ['[global]\norderRate = 1', /there is no limit orderRate/],
    ['[users.alice]\nordersPerDay = 1', /users\.alice: no user id/],
    ['[users]\n42 = 1', /users\.42: must be a table/],
    ['[accounts.42]\nordersPerDay = 1', /accounts: no such table/],
    ['[global', /line 1/],
  ] as const) {
    writeFileSync(path, text);
    t.throws(() => readRiskLimits(path), { code: 'CONFIG_INVALID', message: expected }, text);
  }
  t.throws(() => readRiskLimits(join(path, 'none')), { code: 'CONFIG_INVALID', message: /cannot be read/ });
});
