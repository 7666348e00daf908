import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EXCHANGE_DEFAULTS, runExchange } from '../exchange.ts';
import { loadConfig } from '../net/config.ts';
import { readInstrumentFile } from '../net/instrument-file.ts';
import { prepareInstruments } from './prepare-instruments.ts';

t.test('instrument_source = "venue": the list of the venue is the master, at each start', async (t) => {
  const exchange = await runExchange({
    ...EXCHANGE_DEFAULTS,
    ...{ port: 0, updatesPerSecond: 1, madeUpInstruments: 10, instrumentFile: null, replay: null },
  });
  const directory = t.testdir({ data: {} });
  const environment = {
    OUTCRY_VENUE: `127.0.0.1:${exchange.port}`,
    OUTCRY_TARGET_COMP_ID: EXCHANGE_DEFAULTS.compID,
    OUTCRY_INSTRUMENT_SOURCE: 'venue',
    OUTCRY_RECONNECT_MIN_MS: '20',
  };
  const config = loadConfig({ environment, directory });
  const lines: string[] = [];
  const log = (level: string, text: string): void => void lines.push(`${level} ${text}`);
  await prepareInstruments(config, log);
  const path = join(directory, 'data', 'instruments.json');
  t.equal(readInstrumentFile(path).entries.length, exchange.instrumentCount);
  const first = readFileSync(path, 'utf8');
  await prepareInstruments(config, log);
  t.equal(readFileSync(path, 'utf8'), first, 'nothing new changes nothing');
  await exchange.close();
  t.match(lines, [/^info .*taken from the venue/, /^info .*taken from the venue/]);
  writeFileSync(path, '{}');
  await t.rejects(
    prepareInstruments(config, log),
    { code: 'INSTRUMENTS_INVALID' },
    'a master that is wrong is not written over',
  );
});
