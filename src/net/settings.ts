import { isIP } from 'node:net';
import * as z from 'zod';
import { isTimeOfDay } from '../core/fix/session-schedule.ts';
import { parseCpuList } from './cpu-list.ts';
import { parseHostPort } from './host-port.ts';
import { isLedgerUrl } from './ledger-url.ts';

/**
 * Every setting of Outcry, once. The configuration file, the `OUTCRY_*` environment, `outcry config`, the example file and its documentation are
 * all made from this table. A setting `tick_ms` of the file is `OUTCRY_TICK_MS` in the environment, which wins.
 */
export interface Setting<T = string | number | boolean> {
  /** What the value means, for people: one or two sentences. */
  readonly doc: string;
  /** Of a number: `ms`, `seconds`, … Empty for what has none. */
  readonly unit: string;
  /** The value when nothing is set. A string, number or boolean as the file would have it. */
  readonly default: T;
  /** The rule in words; a refusal ends with it. */
  readonly allowed: string;
  readonly schema: z.ZodType<T>;
}

export const SETTINGS = {
  host: text('Address that HTTP and WebSocket listen on. Anything but loopback is open to the network.', {
    default: '127.0.0.1',
    allowed: 'an IPv4 or IPv6 address',
    test: (value) => isIP(value) !== 0,
  }),
  port: integer('Port of HTTP and WebSocket. 0 takes a free one, told when ready.', 'port', 9001, 0, 65_535),
  tls: flag('Whether HTTP and WebSocket are served over TLS, 1.2 or later, and over nothing else.', false),
  tls_cert: path(
    'PEM file of our certificate, those of the authorities between it and the root after it. A renewed one is read at the next start.',
  ),
  tls_key: path('PEM file of its key, closed to other users of the machine.'),
  data_dir: text(
    'Directory of everything that Outcry keeps: instrument master, log, control socket. Made when missing.',
    {
      default: './data',
      allowed: 'a path of 1 to 1000 characters',
      test: (value) => value.length >= 1 && value.length <= 1_000,
    },
  ),
  market_hours: choice(
    'Calendar of the market. `always`: the simulator trades around the clock. `nse`: 09:15 to 15:30 in India on trading days.',
    ['always', 'nse'],
    'always',
  ),
  tick_ms: integer('Time between two frames to a client. 0 sends as soon as something changed.', 'ms', 100, 0, 10_000),
  phases: integer(
    'Groups that connections are dealt into; their ticks are spread evenly over the tick.',
    'groups',
    8,
    1,
    64,
  ),
  filter_bps: integer(
    'Least price change that is sent in modes ltp and quote, 1/100 of a per cent of the price last sent. A client may ask for another.',
    'basis points',
    10,
    0,
    1_000,
  ),
  fanout_workers: integer('Threads that serve clients. 0 takes one a core less one, 1 to 16.', 'threads', 0, 0, 64),
  pin_cpus: text(
    'CPUs that the busy threads are pinned to, one each: the feed worker, the order worker, then each fan-out worker; all else runs on the CPUs that are left. `auto`: all but the first two, where that is enough. `off`: nothing is pinned. With fanout_workers = 0 there are as many as there are CPUs for them.',
    {
      default: 'off',
      allowed: '"off", "auto", or CPU numbers without repetition as in 2-5,8',
      test: (value) => value === 'off' || value === 'auto' || parseCpuList(value) !== undefined,
    },
  ),
  instrument_capacity: integer(
    'Instruments the quote board has room for, those to come included. About 450 bytes each, and 130 for each phase group of each worker.',
    'instruments',
    16_384,
    64,
    1_048_576,
  ),
  instruments: path(
    'Instrument master file. Empty: `instruments.json` in the data directory, written by the simulator’s generator when missing.',
  ),
  venue: text('Address of the exchange’s FIX acceptor as host:port. Empty: the bundled simulator is started.', {
    default: '',
    allowed: 'host:port with a port from 1 to 65535, or nothing',
    test: (value) => value === '' || parseHostPort(value) !== undefined,
  }),
  sender_comp_id: compID('SenderCompID(49) of the feed session: who we are to the exchange.', 'OUTCRY'),
  target_comp_id: compID('TargetCompID(56) of the feed session: who the exchange is.', 'EXCHANGE'),
  heartbeat_seconds: integer('HeartBtInt(108) of the feed session.', 'seconds', 10, 1, 300),
  reconnect_min_ms: automatic(
    'Pause before the first attempt to reach the exchange again; it doubles, and each is drawn between its half and its whole. 0 takes 5000 for a venue and 100 for the simulator.',
    'ms',
    10,
    60_000,
  ),
  reconnect_max_ms: automatic(
    'Longest pause between two attempts. 0 takes 60000 for a venue and 2000 for the simulator, or the shortest pause when that is longer.',
    'ms',
    10,
    600_000,
  ),
  instrument_source: choice(
    'Where the instrument master comes from. `file`: the setting instruments. `venue`: asked of the venue at each start by SecurityListRequest and kept in that file.',
    ['file', 'venue'],
    'file',
  ),
  venue_tls: flag('Whether the connection to the venue is TLS, 1.2 or later. The simulator is reached without.', false),
  venue_tls_ca: path('PEM file of the authorities that the venue’s certificate may come from. Empty: those of Node.'),
  venue_tls_cert: path('PEM file of our certificate, for a venue that asks for one.'),
  venue_tls_key: path('PEM file of its key.'),
  venue_tls_server_name: text('Name that the venue’s certificate must have. Empty: the host of the setting venue.', {
    default: '',
    allowed: 'a host name, or nothing',
    test: (value) => value === '' || /^[A-Za-z0-9.-]{1,253}$/.test(value),
  }),
  venue_username: text(
    'Username(553) of the Logon to the venue; the simulator then asks for it. Empty sends none. The password is in the environment variable OUTCRY_VENUE_PASSWORD, or in the file of the next setting.',
    { default: '', allowed: 'up to 64 printable ASCII characters', test: (value) => /^[\x20-\x7e]{0,64}$/.test(value) },
  ),
  venue_password_file: path('File with the password alone. It is never logged.'),
  order_sessions: text(
    'SenderCompIDs(49) of the order sessions with the venue, comma-separated; each account goes over one of them. Empty: `OUTCRY-ORD` with the simulator, and no orders with a venue. `off`: no orders and no ledger.',
    {
      default: '',
      allowed:
        'comma-separated CompIDs of 1 to 32 printable ASCII characters without spaces or commas, "off", or nothing',
      test: (value) =>
        value === '' ||
        (value.split(',').every((id) => /^[\x21-\x2b\x2d-\x7e]{1,32}$/.test(id)) &&
          new Set(value.split(',')).size === value.split(',').length),
    },
  ),
  order_session_hours: text(
    'When the order sessions are held, HH:MM-HH:MM in India. The numbers of a session begin anew with its first logon after the start, once nothing of the day before is open on it. Empty: 08:45-17:00 on trading days with market_hours `nse`; else around the clock, anew at 09:15.',
    {
      default: '',
      allowed: 'two times of day as HH:MM-HH:MM, or nothing',
      test: (value) => value === '' || (/^.{5}-.{5}$/.test(value) && value.split('-').every(isTimeOfDay)),
    },
  ),
  order_messages_per_second: integer(
    'Messages that the venue takes a second on each order session; beyond it orders wait their turn. 0 for no limit.',
    'messages/s',
    0,
    0,
    1_000_000,
  ),
  risk_profile: choice(
    'Limits that orders are checked against. `retail-strict`: also concentration, 20 orders a minute, 100 orders and ₹1 crore a day.',
    ['standard', 'retail-strict'],
    'standard',
  ),
  drop_copy_venue: text(
    'Address of the FIX acceptor that sends us a drop copy of our trades, as host:port: it is held against them as they come. Empty: none.',
    {
      default: '',
      allowed: 'host:port with a port from 1 to 65535, or nothing',
      test: (value) => value === '' || parseHostPort(value) !== undefined,
    },
  ),
  drop_copy_comp_id: compID(
    'SenderCompID(49) of that session; its TargetCompID, username and password are those of the venue.',
    'OUTCRY-COPY',
  ),
  fix_clients: path(
    'JSON file of the FIX clients that may send orders or have a drop copy: see src/net/fix-order-entry.md. Empty: none, and no port is listened on.',
  ),
  fix_clients_host: text('Address that FIX clients connect to. 127.0.0.1 unless the outside is meant.', {
    default: '127.0.0.1',
    allowed: 'an IP address or host name',
    test: (value) => /^[A-Za-z0-9.:-]{1,253}$/.test(value),
  }),
  fix_clients_port: integer('Port that FIX clients connect to. 0: none is listened on.', 'port', 0, 0, 65_535),
  fix_clients_tls: flag('Whether FIX clients are served over TLS, 1.2 or later, and over nothing else.', false),
  fix_clients_tls_cert: path('PEM file of our certificate, for FIX clients.'),
  fix_clients_tls_key: path('PEM file of its key.'),
  fix_clients_tls_ca: path(
    'PEM file of the authorities that a FIX client’s certificate must come from. Empty: none is asked for.',
  ),
  risk_limits_file: path(
    'JSON file of limits above those of the profile: `limits` for all, `instruments` by symbol, `users` by id, each naming limits; null turns one off. Read at the start.',
  ),
  token_secret_file: path(
    'File with the secret that tokens are signed with, 32 bytes or more. Empty: one that the first start makes in the data directory. The environment variable OUTCRY_TOKEN_SECRET goes first.',
  ),
  ledger_url: text(
    'Database of the ledger: postgres://user@host:port/database, with ?sslmode=require or verify-full for TLS and ?host=/directory for a Unix socket instead of the host. Empty: a PostgreSQL of our own in the data directory. The password is in the environment variable OUTCRY_LEDGER_PASSWORD, or in the file of the next setting.',
    {
      default: '',
      allowed: 'a postgres:// URL with user and database and without a password, or nothing',
      test: isLedgerUrl,
    },
  ),
  ledger_password_file: path('File with the password of the ledger’s database alone. It is never logged.'),
  stale_after_ms: integer(
    'An instrument that is silent for so long in market hours is marked stale. 0 never does.',
    'ms',
    60_000,
    0,
    86_400_000,
  ),
  exchange_seed: integer('Seed of the simulator: the same seed gives the same market.', 'seed', 1, 0, 4_294_967_295),
  exchange_rate: integer(
    'Updates that the simulator sends, one being the change of one instrument.',
    'updates/s',
    5_000,
    1,
    1_000_000,
  ),
  exchange_instruments: integer(
    'Made-up shares that the generator writes beside the NIFTY 50 and the indices, when there is no instrument master yet.',
    'instruments',
    2_000,
    0,
    99_000,
  ),
  origins: text('Web pages that may connect besides our own: comma-separated origins, `https://desk.example.com`.', {
    default: '',
    allowed: 'comma-separated http:// or https:// origins, or nothing',
    test: (value) => value === '' || value.split(',').every((origin) => /^https?:\/\/[A-Za-z0-9.:[\]-]+$/.test(origin)),
  }),
  max_connections: integer('Clients at once; more are refused with 503.', 'connections', 20_000, 1, 1_000_000),
  max_subscriptions: integer('Instruments that one client may subscribe to.', 'instruments', 1_000, 1, 1_048_576),
  drills: flag('Whether `outcry drill` may make a worker throw or hang, for game days.', false),
  log_level: choice('Least level that is logged.', ['debug', 'info', 'warn', 'error'], 'info'),
  log: choice('Where the log goes: `outcry.log` in the data directory, or stderr.', ['file', 'stderr'], 'file'),
  log_max_mb: integer(
    'Size at which the log file is moved to `outcry.log.1`, replacing the one before: both together are at most twice this.',
    'MB',
    16,
    1,
    4_096,
  ),
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

/** The environment variable of a setting. */
export function environmentName(name: SettingName): string {
  return `OUTCRY_${name.toUpperCase()}`;
}

interface TextRule {
  readonly default: string;
  readonly allowed: string;
  readonly test: (value: string) => boolean;
}

function text(doc: string, rule: TextRule): Setting<string> {
  return { doc, unit: '', default: rule.default, allowed: rule.allowed, schema: z.string().refine(rule.test) };
}

function path(doc: string): Setting<string> {
  return text(doc, { default: '', allowed: 'a path, or nothing', test: (value) => value.length <= 1_000 });
}

/** A number of which 0, the default, means that it follows from the rest. */
function automatic(doc: string, unit: string, min: number, max: number): Setting<number> {
  const allowed = `0, or a whole number from ${min} to ${max}`;
  const schema = z
    .int()
    .max(max)
    .refine((value) => value === 0 || value >= min);
  return { doc, unit, default: 0, allowed, schema };
}

/** CompIDs are printable ASCII in FIX; 32 bytes is what a session reserves in a header. */
function compID(doc: string, fallback: string): Setting<string> {
  const allowed = '1 to 32 printable ASCII characters without spaces';
  return text(doc, { default: fallback, allowed, test: (value) => /^[\x21-\x7e]{1,32}$/.test(value) });
}

function integer(doc: string, unit: string, fallback: number, min: number, max: number): Setting<number> {
  const allowed = `a whole number from ${min} to ${max}`;
  return { doc, unit, default: fallback, allowed, schema: z.int().min(min).max(max) };
}

function choice<const V extends string>(doc: string, values: readonly V[], fallback: NoInfer<V>): Setting<V> {
  const schema = z.enum(values) as unknown as z.ZodType<V>;
  return { doc, unit: '', default: fallback, allowed: values.map((value) => `"${value}"`).join(' or '), schema };
}

function flag(doc: string, fallback: boolean): Setting<boolean> {
  return { doc, unit: '', default: fallback, allowed: 'true or false', schema: z.boolean() };
}
