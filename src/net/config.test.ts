import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import t from 'tap';
import { OutcryError } from '../core/errors.ts';
import { type ConfigInput, loadConfig } from './config.ts';
import { renderConfig, renderExampleFile, renderSettingsHelp } from './config-text.ts';
import { parseHostPort } from './host-port.ts';
import { environmentName, SETTING_NAMES, SETTINGS, type Setting, type SettingName } from './settings.ts';

/** For each setting a value that its file refuses, and one that its environment refuses. */
const WRONG: Record<SettingName, readonly [file: unknown, environment: string]> = {
  host: ['localhost', '127.0.0.256'],
  port: [65_536, '-1'],
  data_dir: ['', 'x'.repeat(1_001)],
  market_hours: ['bse', 'Always'],
  tick_ms: [1.5, '100ms'],
  phases: [0, '65'],
  filter_bps: [-1, '0.1'],
  fanout_workers: [65, 'auto'],
  pin_cpus: [3, '2-1'],
  instrument_capacity: [63, '1e6'],
  instruments: [7, 'x'.repeat(1_001)],
  venue: ['exchange.example.com', 'host:0'],
  sender_comp_id: ['', 'two words'],
  target_comp_id: ['x'.repeat(33), 'é'],
  heartbeat_seconds: [0, '301'],
  reconnect_min_ms: [9, 'soon'],
  reconnect_max_ms: ['2 s', '1'],
  instrument_source: ['url', 'Venue'],
  tls: ['on', '1'],
  tls_cert: [7, 'x'.repeat(1_001)],
  tls_key: [7, 'x'.repeat(1_001)],
  venue_tls: ['on', '1'],
  venue_tls_ca: [7, 'x'.repeat(1_001)],
  venue_tls_cert: [7, 'x'.repeat(1_001)],
  venue_tls_key: [7, 'x'.repeat(1_001)],
  venue_tls_server_name: ['two words', 'a/b'],
  venue_username: ['x'.repeat(65), 'é'],
  venue_password_file: [7, 'x'.repeat(1_001)],
  order_sessions: ['A,,B', 'A,A'],
  order_session_hours: ['08:45', '8:45-17:00'],
  order_messages_per_second: [-1, '1000001'],
  risk_profile: ['bold', 'none'],
  drop_copy_venue: ['exchange.example.com', 'host:0'],
  drop_copy_comp_id: ['', 'two words'],
  fix_clients: [7, 'x'.repeat(1_001)],
  fix_clients_host: ['', 'no host'],
  fix_clients_port: [-1, '65536'],
  fix_clients_tls: ['on', '1'],
  fix_clients_tls_cert: [7, 'x'.repeat(1_001)],
  fix_clients_tls_key: [7, 'x'.repeat(1_001)],
  fix_clients_tls_ca: [7, 'x'.repeat(1_001)],
  risk_limits_file: [7, 'x'.repeat(1_001)],
  token_secret_file: [7, 'x'.repeat(1_001)],
  ledger_url: ['postgres://db.example.com/outcry', 'postgres://desk@db.example.com/outcry?sslmode=prefer'],
  ledger_password_file: [7, 'x'.repeat(1_001)],
  stale_after_ms: [-1, '86400001'],
  exchange_seed: [-1, '4294967296'],
  exchange_rate: [0, '1000001'],
  exchange_instruments: [99_001, '-5'],
  origins: ['desk.example.com', 'https://a.example, https://b.example'],
  max_connections: [0, 'many'],
  max_subscriptions: [true, '0'],
  drills: ['yes', '1'],
  log_level: ['trace', 'INFO'],
  log: ['syslog', 'stdout'],
  log_max_mb: [0, '4097'],
};

function refusal(input: ConfigInput): string {
  try {
    loadConfig(input);
  } catch (error) {
    return error instanceof OutcryError && error.code === 'CONFIG_INVALID' ? error.message : `not ours: ${error}`;
  }
  return 'nothing was refused';
}

t.test('defaults', async (t) => {
  const directory = t.testdir();
  const config = loadConfig({ environment: {}, directory });
  for (const name of SETTING_NAMES) {
    t.equal(config.values[name], SETTINGS[name].default, name);
    t.equal(config.sources[name], 'default', name);
    t.ok(SETTINGS[name].schema.safeParse(SETTINGS[name].default).success, `the default of ${name} is allowed`);
  }
  t.equal(config.dataDir, join(directory, 'data'));
  t.equal(config.instrumentsFile, join(directory, 'data/instruments.json'));
  t.equal(config.venue, undefined);
  t.ok(config.fanOutWorkers >= 1 && config.fanOutWorkers <= 16);
});

t.test('every wrong value names itself, in the file and in the environment', async (t) => {
  const directory = t.testdir({ 'outcry.toml': '' });
  const path = join(directory, 'outcry.toml');
  for (const name of SETTING_NAMES) {
    const [inFile, inEnvironment] = WRONG[name];
    writeFileSync(path, `${name} = ${JSON.stringify(inFile)}\n`);
    const fileText = refusal({ environment: {}, directory });
    t.match(fileText, `${name} in ${path} is ${(JSON.stringify(inFile) ?? '').slice(0, 100)}`, fileText);
    t.ok(fileText.endsWith(`allowed is ${SETTINGS[name].allowed}`), `${name}: the rule is told`);

    writeFileSync(path, '');
    const variable = environmentName(name);
    const environmentText = refusal({ environment: { [variable]: inEnvironment }, directory });
    t.ok(environmentText.includes(`${variable} is ${JSON.stringify(inEnvironment).slice(0, 100)}`), environmentText);
    t.ok(environmentText.endsWith(SETTINGS[name].allowed), `${variable}: the rule is told`);
  }
});

t.test('the environment wins over the file, the file over the default; empty is not set', async (t) => {
  const directory = t.testdir({ 'outcry.toml': 'port = 9100\ntick_ms = 0\nlog_level = "warn"\n' });
  const config = loadConfig({
    environment: { OUTCRY_PORT: '9200', OUTCRY_TICK_MS: '', OUTCRY_DRILLS: 'true' },
    directory,
  });
  t.equal(config.values.port, 9_200);
  t.equal(config.sources.port, 'OUTCRY_PORT');
  t.equal(config.values.tick_ms, 0);
  t.equal(config.sources.tick_ms, join(directory, 'outcry.toml'));
  t.equal(config.values.log_level, 'warn');
  t.equal(config.values.drills, true);
  t.equal(config.values.phases, 8);
});

t.test('the file may be named, and must then exist', async (t) => {
  const directory = t.testdir({ 'desk.toml': 'port = 9300', other: { 'o.toml': 'port = 9400' } });
  t.equal(loadConfig({ file: 'desk.toml', environment: {}, directory }).values.port, 9_300);
  t.equal(loadConfig({ environment: { OUTCRY_CONFIG: 'other/o.toml' }, directory }).values.port, 9_400);
  const both = { file: 'desk.toml', environment: { OUTCRY_CONFIG: 'other/o.toml' }, directory };
  t.equal(loadConfig(both).values.port, 9_300, 'the option wins');
  t.match(refusal({ file: 'none.toml', environment: {}, directory }), /none\.toml cannot be read/);
});

t.test('what is no setting is refused with a suggestion', async (t) => {
  const directory = t.testdir({ 'outcry.toml': 'prot = 9001\n' });
  t.match(refusal({ environment: {}, directory }), 'has prot, which is no setting; do you mean port?');
  writeFileSync(join(directory, 'outcry.toml'), '[server]\nport = 1\n');
  t.match(refusal({ environment: {}, directory }), 'has server, which is no setting');
  writeFileSync(join(directory, 'outcry.toml'), 'port = \n');
  t.match(refusal({ environment: {}, directory }), /outcry\.toml, line 1/);
  writeFileSync(join(directory, 'outcry.toml'), '');
  t.match(
    refusal({ environment: { OUTCRY_TICKMS: '5' }, directory }),
    'has OUTCRY_TICKMS, which is no setting; do you mean OUTCRY_TICK_MS?',
  );
});

t.test('a password in a URL is refused and not repeated', async (t) => {
  const environment = { OUTCRY_LEDGER_URL: 'postgres://desk:secret@db.example.com/outcry' };
  const text = refusal({ environment, directory: t.testdir() });
  t.match(text, 'OUTCRY_LEDGER_URL is "postgres://desk:…@db.example.com/outcry"');
});

t.test('settings that must agree', async (t) => {
  const directory = t.testdir();
  const environment = { OUTCRY_RECONNECT_MIN_MS: '5000', OUTCRY_RECONNECT_MAX_MS: '1000' };
  t.match(
    refusal({ environment, directory }),
    /reconnect_max_ms \(1000\).*reconnect_min_ms \(5000\).*OUTCRY_RECONNECT_MAX_MS/,
  );
});

t.test('a venue is reached again after 5 s and more, the simulator at once; what is set is set', async (t) => {
  const directory = t.testdir();
  const pauses = (environment: Record<string, string>) => {
    const { reconnectMinMs, reconnectMaxMs } = loadConfig({ environment, directory });
    return [reconnectMinMs, reconnectMaxMs];
  };
  const OUTCRY_VENUE = '10.0.0.1:9880';
  t.same(pauses({}), [100, 2_000]);
  t.same(pauses({ OUTCRY_VENUE }), [5_000, 60_000]);
  t.same(pauses({ OUTCRY_VENUE, OUTCRY_RECONNECT_MIN_MS: '250' }), [250, 60_000]);
  t.same(pauses({ OUTCRY_RECONNECT_MIN_MS: '3000' }), [3_000, 3_000], 'the longest is never below the shortest');
});

t.test('TLS has absolute paths, and needs a venue; instruments of a venue need one too', async (t) => {
  const directory = t.testdir({ 'ca.pem': '' });
  const tls = { OUTCRY_VENUE_TLS: 'true', OUTCRY_VENUE_TLS_CA: 'ca.pem' };
  t.equal(loadConfig({ environment: tls, directory }).venueTls, null, 'the simulator is reached without');
  t.same(loadConfig({ environment: { ...tls, OUTCRY_VENUE: 'h:1' }, directory }).venueTls, {
    ...{ caFile: join(directory, 'ca.pem'), certFile: '', keyFile: '', serverName: '' },
  });
  const missing = { ...tls, OUTCRY_VENUE: 'h:1', OUTCRY_VENUE_TLS_CA: 'none.pem' };
  t.match(refusal({ environment: missing, directory }), /none\.pem/, 'a file that is not there is told at the start');
  const login = { OUTCRY_VENUE: 'h:1', OUTCRY_VENUE_USERNAME: 'ME' };
  t.match(refusal({ environment: login, directory }), /OUTCRY_VENUE_PASSWORD/);
  const bundled = { OUTCRY_VENUE_USERNAME: 'ME' };
  t.match(refusal({ environment: bundled, directory }), /OUTCRY_VENUE_PASSWORD/, 'the simulator asks for it too');
  t.match(refusal({ environment: { OUTCRY_INSTRUMENT_SOURCE: 'venue' }, directory }), /needs a venue/);
});

t.test('the password of the venue is no setting, and known all the same', async (t) => {
  const config = loadConfig({ environment: { OUTCRY_VENUE_PASSWORD: 'hushhush' }, directory: t.testdir() });
  t.notMatch(JSON.stringify(config), 'hushhush');
});

t.test('a venue is host:port', async (t) => {
  t.same(parseHostPort('fix.example.com:9880'), { host: 'fix.example.com', port: 9_880 });
  t.same(parseHostPort('[::1]:1'), { host: '::1', port: 1 });
  for (const wrong of ['fix.example.com', ':1', 'h:', 'h:65536', '::1:9', 'h:1 '])
    t.equal(parseHostPort(wrong), undefined, wrong);
  const config = loadConfig({ environment: { OUTCRY_VENUE: '10.0.0.1:9880' }, directory: t.testdir() });
  t.same(config.venue, { host: '10.0.0.1', port: 9_880 });
});

t.test('the example file is the table', async (t) => {
  const example = readFileSync(join(process.cwd(), 'native-config/outcry.example.toml'), 'utf8');
  t.equal(example, renderExampleFile(), 'npm run generate writes it');
  const uncommented = example.replace(/^# ([a-z_]+ = .*)$/gm, '$1');
  const table = parse(uncommented);
  t.same(Object.keys(table), SETTING_NAMES);
  for (const name of SETTING_NAMES) t.equal(table[name], SETTINGS[name].default, name);
});

t.test('help and output name every setting', async (t) => {
  const directory = t.testdir();
  const help = renderSettingsHelp();
  const output = renderConfig(loadConfig({ environment: { OUTCRY_PORT: '9005' }, directory }));
  for (const name of SETTING_NAMES) {
    const setting: Setting = SETTINGS[name];
    t.ok(help.includes(environmentName(name)), name);
    t.ok(output.includes(`${name} = `), name);
    t.ok(setting.doc.endsWith('.'), `${name} is told in sentences`);
  }
  t.match(output, /^port = 9005 +# OUTCRY_PORT$/m);
  writeFileSync(join(directory, 'outcry.toml'), output);
  t.equal(loadConfig({ environment: {}, directory }).values.port, 9_005, 'what it prints is a file that says the same');
});
