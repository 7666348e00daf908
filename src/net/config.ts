import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { OutcryError } from '../core/errors.ts';
import { type ClientTls, checkClientTls } from './client-tls.ts';
import { type CorePlan, planCores } from './core-plan.ts';
import { readFixClients } from './fix-clients.ts';
import { type FixTlsClient, type FixTlsServer, tlsClientOptions, tlsServerOptions } from './fix-tls.ts';
import { parseHostPort } from './host-port.ts';
import { LEDGER_PASSWORD_VARIABLE, readLedgerPassword } from './ledger-url.ts';
import { readRiskLayers } from './risk-limits-file.ts';
import { environmentName, SETTING_NAMES, SETTINGS, type SettingName } from './settings.ts';
import { allowedCpus } from './thread-placement.ts';
import { TOKEN_SECRET_VARIABLE } from './token-secret.ts';
import { PASSWORD_VARIABLE, readVenueCredentials } from './venue-credentials.ts';

type SettingValue = string | number | boolean;

/** The values of all settings, as they are called in the file. */
export type SettingValues = { readonly [N in SettingName]: ReturnType<(typeof SETTINGS)[N]['schema']['parse']> };

/** Where a value came from: `default`, the file's path, or the environment variable's name. */
export type SettingSources = { readonly [N in SettingName]: string };

/** The configuration in force: checked, with paths and counts resolved. */
export interface Config {
  readonly values: SettingValues;
  readonly sources: SettingSources;
  /** Absolute. */
  readonly dataDir: string;
  /** Absolute path of the instrument master. */
  readonly instrumentsFile: string;
  /** What browsers and other clients are served over, with absolute paths; null for plain TCP. */
  readonly clientTls: ClientTls | null;
  /** Undefined when the bundled simulator is to be started. */
  readonly venue: { readonly host: string; readonly port: number } | undefined;
  readonly fanOutWorkers: number;
  /** Null when no thread is pinned. */
  readonly corePlan: CorePlan | null;
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  /** Of the connection to the venue, with absolute paths; null for plain TCP. */
  readonly venueTls: FixTlsClient | null;
  /** Absolute; '' for none. */
  readonly venuePasswordFile: string;
  /** CompIDs of the order sessions; none when orders are off. */
  readonly orderSessions: readonly string[];
  /** Absolute; '' for none. */
  readonly tokenSecretFile: string;
  /** Absolute; '' for none. */
  readonly fixClientsFile: string;
  /** What FIX clients are served over, with absolute paths; null for plain TCP. */
  readonly fixClientsTls: FixTlsServer | null;
  /** Absolute; '' for none. */
  readonly riskLimitsFile: string;
  /** Absolute; '' for none. */
  readonly ledgerPasswordFile: string;
}

/** Read from the working directory unless `--config` or `OUTCRY_CONFIG` name another. */
export const CONFIG_FILE = 'outcry.toml';
const CONFIG_FILE_MAX_BYTES = 1 << 20;
/** The variable that names the file: no setting, as the password of the venue is none. */
const CONFIG_VARIABLE = 'OUTCRY_CONFIG';
/** The bundled simulator is back in no time; a venue counts and refuses who comes too often. */
const SIMULATOR_PAUSES = { minMs: 100, maxMs: 2_000 } as const;
const SIMULATOR_ORDER_SESSION = 'OUTCRY-ORD';
const VENUE_PAUSES = { minMs: 5_000, maxMs: 60_000 } as const;

export interface ConfigInput {
  /** `--config`; a file named here or by `OUTCRY_CONFIG` must exist. */
  readonly file?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
}

/** Reads and checks the whole configuration. Raises CONFIG_INVALID, naming the setting, its source, the value and what is allowed. */
export function loadConfig(input: ConfigInput): Config {
  const { environment, directory } = input;
  const named = input.file ?? (environment[CONFIG_VARIABLE] || undefined);
  const path = resolve(directory, named ?? CONFIG_FILE);
  const file = readConfigFile(path, named !== undefined);
  refuseUnknownVariables(environment);

  const values: Record<string, SettingValue> = {};
  const sources: Record<string, string> = {};
  for (const name of SETTING_NAMES) {
    const variable = environmentName(name);
    const raw = environment[variable];
    if (raw !== undefined && raw !== '') {
      values[name] = check(name, fromText(raw, SETTINGS[name].default), variable, raw);
      sources[name] = variable;
    } else if (Object.hasOwn(file, name)) {
      values[name] = check(name, file[name], `${name} in ${path}`, file[name]);
      sources[name] = path;
    } else {
      values[name] = SETTINGS[name].default;
      sources[name] = 'default';
    }
  }
  const config = resolveConfig(values as SettingValues, sources as SettingSources, directory);
  // What these files say is read again where it is needed; what is wrong with them is to be told here.
  if (config.clientTls !== null) checkClientTls(config.clientTls, new Date());
  if (config.venueTls !== null) tlsClientOptions(config.venueTls);
  if (config.fixClientsTls !== null) tlsServerOptions(config.fixClientsTls);
  readVenueCredentials(config.values.venue_username, config.venuePasswordFile, environment);
  readLedgerPassword(config.ledgerPasswordFile);
  if (config.fixClientsFile !== '') readFixClients(config.fixClientsFile);
  readRiskLayers(config.riskLimitsFile);
  return config;
}

function resolveConfig(values: SettingValues, sources: SettingSources, directory: string): Config {
  const venue = values.venue === '' ? undefined : parseHostPort(values.venue);
  const pauses = venue === undefined ? SIMULATOR_PAUSES : VENUE_PAUSES;
  const reconnectMinMs = values.reconnect_min_ms || pauses.minMs;
  const reconnectMaxMs = values.reconnect_max_ms || Math.max(pauses.maxMs, reconnectMinMs);
  if (reconnectMaxMs < reconnectMinMs) {
    throw new OutcryError(
      'CONFIG_INVALID',
      `reconnect_max_ms (${reconnectMaxMs}) must not be less than reconnect_min_ms (${reconnectMinMs}); set by ${sources.reconnect_max_ms}`,
    );
  }
  if (values.instrument_source === 'venue' && venue === undefined)
    throw new OutcryError(
      'CONFIG_INVALID',
      `instrument_source "venue" needs a venue; set by ${sources.instrument_source}`,
    );
  const absolute = (path: string): string => (path === '' ? '' : resolve(directory, path));
  const dataDir = resolve(directory, values.data_dir);
  const orderSessions = resolveOrderSessions(values.order_sessions, venue === undefined);
  const cores = planCores({
    pinCpus: values.pin_cpus,
    fanOutWorkers: values.fanout_workers,
    hasOrders: orderSessions.length > 0,
    allowedCpus: allowedCpus(),
  });
  return {
    values,
    sources,
    dataDir,
    instrumentsFile:
      values.instruments === '' ? join(dataDir, 'instruments.json') : resolve(directory, values.instruments),
    clientTls: values.tls ? { certFile: absolute(values.tls_cert), keyFile: absolute(values.tls_key) } : null,
    venue,
    reconnectMinMs,
    reconnectMaxMs,
    venueTls: venue === undefined || !values.venue_tls ? null : resolveTls(values, absolute),
    venuePasswordFile: absolute(values.venue_password_file),
    orderSessions,
    tokenSecretFile: absolute(values.token_secret_file),
    fixClientsFile: absolute(values.fix_clients),
    fixClientsTls: values.fix_clients_tls
      ? {
          certFile: absolute(values.fix_clients_tls_cert),
          keyFile: absolute(values.fix_clients_tls_key),
          caFile: absolute(values.fix_clients_tls_ca),
        }
      : null,
    riskLimitsFile: absolute(values.risk_limits_file),
    ledgerPasswordFile: absolute(values.ledger_password_file),
    fanOutWorkers: cores.fanOutWorkers,
    corePlan: cores.plan,
  };
}

function resolveOrderSessions(value: string, hasSimulator: boolean): string[] {
  if (value === 'off' || (value === '' && !hasSimulator)) return [];
  return value === '' ? [SIMULATOR_ORDER_SESSION] : value.split(',');
}

function resolveTls(values: SettingValues, absolute: (path: string) => string): FixTlsClient {
  return {
    caFile: absolute(values.venue_tls_ca),
    certFile: absolute(values.venue_tls_cert),
    keyFile: absolute(values.venue_tls_key),
    serverName: values.venue_tls_server_name,
  };
}

function readConfigFile(path: string, mustExist: boolean): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (!mustExist && (error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new OutcryError('CONFIG_INVALID', `${path} cannot be read (${(error as Error).message})`, error);
  }
  if (text.length > CONFIG_FILE_MAX_BYTES) {
    throw new OutcryError('CONFIG_INVALID', `${path} is larger than ${CONFIG_FILE_MAX_BYTES} bytes`);
  }
  let table: Record<string, unknown>;
  try {
    table = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split('\n')[0];
    throw new OutcryError('CONFIG_INVALID', `${path}, line ${error.line}: ${reason}`, error);
  }
  for (const key of Object.keys(table)) {
    if (!Object.hasOwn(SETTINGS, key)) {
      throw new OutcryError('CONFIG_INVALID', `${path} has ${key}, which is no setting${suggestion(key)}`);
    }
  }
  return table;
}

/** A misspelt variable would silently leave the default in force. */
function refuseUnknownVariables(environment: Readonly<Record<string, string | undefined>>): void {
  const known = new Set<string>(SETTING_NAMES.map(environmentName));
  for (const variable of Object.keys(environment)) {
    if (
      !variable.startsWith('OUTCRY_') ||
      variable === CONFIG_VARIABLE ||
      variable === PASSWORD_VARIABLE ||
      variable === TOKEN_SECRET_VARIABLE ||
      variable === LEDGER_PASSWORD_VARIABLE ||
      known.has(variable)
    )
      continue;
    const hint = suggestion(variable.slice('OUTCRY_'.length).toLowerCase(), environmentName);
    throw new OutcryError('CONFIG_INVALID', `the environment has ${variable}, which is no setting${hint}`);
  }
}

function check(name: SettingName, value: unknown, source: string, raw: unknown): SettingValue {
  const result = SETTINGS[name].schema.safeParse(value);
  if (result.success) return result.data;
  throw new OutcryError('CONFIG_INVALID', `${source} is ${show(raw)}; allowed is ${SETTINGS[name].allowed}`);
}

/** The environment has text only: it is read as the setting's kind, and left as text where it is none, for the check to refuse. */
function fromText(raw: string, kind: SettingValue): unknown {
  if (typeof kind === 'number') return /^-?[0-9]{1,15}$/.test(raw) ? Number(raw) : raw;
  if (typeof kind === 'boolean') return raw === 'true' ? true : raw === 'false' ? false : raw;
  return raw;
}

/** Without the password that a URL may have though it is not to. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.replace(/:\/\/([^:@/]*):[^@]*@/, '://$1:…@').slice(0, 100);
}

function suggestion(key: string, spell: (name: SettingName) => string = (name) => name): string {
  let best: SettingName | undefined;
  let bestDistance = 4;
  for (const name of SETTING_NAMES) {
    const distance = editDistance(key, name);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best === undefined ? '; `outcry config --help` lists them' : `; do you mean ${spell(best)}?`;
}

/** Levenshtein distance; both words are short. */
function editDistance(a: string, b: string): number {
  if (a.length > 64) return a.length;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
