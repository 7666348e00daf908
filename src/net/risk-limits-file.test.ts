import { join } from 'node:path';
import t from 'tap';
import { readRiskLayers } from './risk-limits-file.ts';

t.test('no file, no layers', async (t) => {
  t.strictSame(readRiskLayers(''), { limits: {}, instruments: new Map(), users: new Map() });
});

t.test('limits of all, of an instrument and of a user', async (t) => {
  const directory = t.testdir({
    'limits.json': JSON.stringify({
      limits: { ordersPerMinute: null, ordersPerSecond: 50 },
      instruments: { 'M&M': { positionQty: 100 } },
      users: { 42: { ordersPerSecond: 4_096 } },
    }),
  });
  t.strictSame(readRiskLayers(join(directory, 'limits.json')), {
    limits: { ordersPerMinute: null, ordersPerSecond: 50 },
    instruments: new Map([['M&M', { positionQty: 100 }]]),
    users: new Map([[42, { ordersPerSecond: 4_096 }]]),
  });
});

t.test('what is wrong is named, with its place', async (t) => {
  const cases: [string, RegExp][] = [
    ['{', /JSON/],
    ['[]', /the whole/],
    ['{"limit": {}}', /limit/],
    ['{"limits": {"ordersPerSecond": 4097}}', /limits.*ordersPerSecond must be a whole number from 0 to 4096/],
    ['{"limits": {"ordersPerHour": 1}}', /there is no limit ordersPerHour/],
    ['{"limits": {"misMarginBps": null}}', /misMarginBps cannot be turned off/],
    ['{"users": {"x": {}}}', /users/],
    ['{"users": {"42": {"positionQty": -1}}}', /users\.42: positionQty/],
  ];
  for (const [text, message] of cases) {
    const path = join(t.testdir({ 'limits.json': text }), 'limits.json');
    t.throws(() => readRiskLayers(path), { code: 'CONFIG_INVALID', message }, text);
  }
  t.throws(() => readRiskLayers(join(t.testdir(), 'none.json')), { code: 'CONFIG_INVALID' });
});
