import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../src/net/testing/cuttable-wire.ts';
import { nativeProgram } from '../../src/net/testing/native-program.ts';
import { BenchChild } from '../child-process.ts';
import { EngineUnderTest } from '../engine-under-test.ts';
import type { Cores } from '../placement.ts';
import { processTree } from '../process-usage.ts';
import { FeedConnection, type FeedFormat, NATS_FORMAT, NCHAN_FORMAT, STREAM_FORMAT } from './feeds.ts';
import { FixExchange } from './fix-exchange.ts';
import type { Decoder } from './load.ts';
import { natsOpening, nchanOpening, type Opening, outcryOpening, positionsOpening } from './openings.ts';
import type { Quote } from './quote-stream.ts';

/** What a server is started for. */
export interface ContenderSettings {
  /** Each instrument before the first tick, by position. */
  readonly quotes: readonly Quote[];
  readonly instrumentsFile: string;
  readonly connections: number;
  readonly tickMs: number;
  /** An empty directory that it may have. */
  readonly dataDir: string;
  readonly cores: Cores;
}

/** A server that runs and takes ticks. */
export interface RunningContender {
  readonly port: number;
  /** Every process whose CPU is on its bill. */
  readonly pids: readonly number[];
  publish(tick: readonly Quote[]): void;
  stop(): Promise<void>;
}

/** A row of the comparison. */
export interface Contender {
  readonly impl: string;
  readonly decoder: Decoder;
  /** What a connection with so many subscriptions is sent before it is open. */
  marks(subscriptions: number): number;
  /** How a connection opens that watches these positions. */
  opening(positions: readonly number[], symbols: readonly string[]): Opening;
  /** Why it cannot be had here, or null. */
  missing(): Promise<string | null>;
  start(settings: ContenderSettings): Promise<RunningContender>;
}

const START_TIMEOUT_MS = 20_000;
const SPARE_CONNECTIONS = 100;
/** nchan has requests of its own for what its subscribers watch, and nginx counts them as connections. */
const NCHAN_CONNECTIONS_EACH = 2;
const NCHAN_MODULE = 'modules/ngx_nchan_module.so';
const NGINX_MODULE_DIRECTORIES = ['/usr/lib/nginx', '/usr/lib64/nginx', '/etc/nginx'];
const JOINED_SERVER = 'bench/peers/joined-server.c';

const OUTCRY: Contender = {
  impl: 'outcry',
  decoder: 'outcry',
  marks: (subscriptions) => subscriptions,
  opening: (positions, symbols) => outcryOpening(positions.map((position) => symbols[position]!)),
  missing: async () => null,
  async start(settings) {
    const exchange = new FixExchange(settings.quotes);
    const venue = `127.0.0.1:${await exchange.listen()}`;
    try {
      const engine = await EngineUnderTest.start({
        dataDir: settings.dataDir,
        instrumentsFile: settings.instrumentsFile,
        venue,
        venueCompID: exchange.compID,
        tickMs: settings.tickMs,
        fanOutWorkers: 1,
        maxConnections: settings.connections + SPARE_CONNECTIONS,
        maxSubscriptions: settings.quotes.length,
        tls: null,
        drills: false,
        cores: settings.cores,
      });
      return {
        port: engine.port,
        pids: engine.pids,
        publish: (tick) => exchange.publish(tick),
        async stop() {
          await engine.stop();
          await exchange.close();
        },
      };
    } catch (error) {
      await exchange.close();
      throw error;
    }
  },
};

const C_JOINED: Contender = {
  impl: 'c-joined',
  decoder: 'entries',
  marks: () => 1,
  opening: positionsOpening,
  async missing() {
    const program = await nativeProgram(JOINED_SERVER, null);
    return 'path' in program ? null : program.missing;
  },
  async start({ quotes, connections, cores }) {
    const program = await nativeProgram(JOINED_SERVER, null);
    if (!('path' in program)) throw new Error(program.missing);
    const args = [String(quotes.length), String(connections)];
    return started(BenchChild.program('c-joined', program.path, args, cores), STREAM_FORMAT, LISTENING);
  },
};

const NATS: Contender = {
  impl: 'nats-server',
  decoder: 'nats',
  marks: () => 1,
  opening: natsOpening,
  missing: async () =>
    runs('nats-server', '--version') ? null : 'nats-server is not installed (Debian package nats-server)',
  async start({ dataDir, connections, cores }) {
    const [feedPort, port] = [await freePort(), await freePort()];
    const file = join(dataDir, 'nats.conf');
    const maxConnections = connections + SPARE_CONNECTIONS;
    writeFileSync(
      file,
      `host: 127.0.0.1\nport: ${feedPort}\nmax_connections: ${maxConnections}\nwebsocket { host: 127.0.0.1, port: ${port}, no_tls: true }\n`,
    );
    const child = BenchChild.program('nats-server', 'nats-server', ['-c', file], cores);
    return started(child, NATS_FORMAT, /Server is ready/, [port, feedPort]);
  },
};

const NCHAN: Contender = {
  impl: 'nchan',
  decoder: 'message',
  marks: () => 0,
  opening: nchanOpening,
  async missing() {
    return runs('nginx', '-v') && nchanModule() !== undefined
      ? null
      : 'nginx with nchan is not installed (Debian packages nginx-light and libnginx-mod-nchan)';
  },
  async start({ dataDir, connections, cores }) {
    const port = await freePort();
    const file = join(dataDir, 'nginx.conf');
    writeFileSync(file, nginxConfiguration(dataDir, port, NCHAN_CONNECTIONS_EACH * connections + SPARE_CONNECTIONS));
    const child = BenchChild.program('nginx', 'nginx', ['-p', dataDir, '-c', file, '-e', 'stderr'], cores);
    return started(child, NCHAN_FORMAT, /start worker process \d+/, [port, port]);
  },
};

/** In the order of the table. */
export const CONTENDERS: readonly Contender[] = [
  OUTCRY,
  nodePeer('uws-publish'),
  nodePeer('ws'),
  NATS,
  NCHAN,
  C_JOINED,
];

function nodePeer(impl: 'uws-publish' | 'ws'): Contender {
  return {
    impl,
    decoder: 'message',
    marks: () => 1,
    opening: positionsOpening,
    missing: async () => null,
    start: ({ cores }) =>
      started(BenchChild.ours(impl, './compare/websocket-peer', [impl], process.env, cores), STREAM_FORMAT, LISTENING),
  };
}

/** The line of the programs of the bench itself. */
const LISTENING = /listening (\d+) (\d+)/;

/** Waits until a program listens, at ports that it tells or was told: of clients, and of its feed. */
async function started(
  child: BenchChild,
  format: FeedFormat,
  ready: RegExp,
  told?: readonly [number, number],
): Promise<RunningContender> {
  try {
    const match = await child.printed(ready, START_TIMEOUT_MS);
    const [port, feedPort] = told ?? [Number(match[1]), Number(match[2])];
    const feed = new FeedConnection(feedPort, format);
    return {
      port,
      pids: processTree(child.pid),
      publish: (tick) => feed.publish(tick),
      async stop() {
        feed.close();
        await child.stop();
      },
    };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/** One worker, no log of requests, no stored messages: who is not there misses a quote and wants the next. */
function nginxConfiguration(directory: string, port: number, connections: number): string {
  return `
load_module ${nchanModule()};
daemon off;
worker_processes 1;
worker_rlimit_nofile ${connections + SPARE_CONNECTIONS};
pid ${directory}/nginx.pid;
error_log stderr notice;
events { worker_connections ${connections + SPARE_CONNECTIONS}; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  nchan_shared_memory_size 256M;
  nchan_store_messages off;
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location ~ ^/publish/(\\d+)$ { nchan_publisher http; nchan_channel_id $1; }
    location ~ ^/subscribe/([\\d,]+)$ {
      nchan_subscriber websocket;
      nchan_channel_id $1;
      nchan_channel_id_split_delimiter ",";
      nchan_websocket_ping_interval 0;
    }
  }
}
`;
}

function nchanModule(): string | undefined {
  return NGINX_MODULE_DIRECTORIES.map((directory) => join(directory, NCHAN_MODULE)).find((path) => existsSync(path));
}

function runs(program: string, argument: string): boolean {
  return spawnSync(program, [argument]).error === undefined;
}
