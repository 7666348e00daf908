import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { benchCertificate } from './bench-certificate.ts';
import type { Cores } from './placement.ts';
import { processCpuSeconds, processTree, residentBytes } from './process-usage.ts';

/** Debian keeps it out of the path of users. */
const PROGRAM = '/usr/sbin/nginx';
const START_TIMEOUT_MS = 10_000;
const POLL_MS = 20;

export function hasNginx(): boolean {
  return spawnSync(PROGRAM, ['-v']).error === undefined;
}

/** nginx as `native-config/nginx-outcry.conf` has it, with one worker on the server's cores: it ends TLS and passes on plain bytes. */
export class NginxFront {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(behind: number, connections: number, dataDir: string, cores: Cores): Promise<NginxFront> {
    const directory = join(dataDir, 'nginx');
    mkdirSync(directory);
    const port = await freePort();
    const file = join(directory, 'nginx.conf');
    writeFileSync(file, configuration(directory, port, behind, connections));
    const command = [PROGRAM, '-p', directory, '-c', file, '-e', 'stderr'];
    const placed = cores === '' ? command : ['taskset', '-c', cores, ...command];
    // It ends with the bench, however that ends.
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', ...placed], { stdio: ['ignore', 'ignore', 'inherit'] });
    const front = new NginxFront(child, port);
    const deadlineMs = performance.now() + START_TIMEOUT_MS;
    while (!(await listens(port))) {
      if (child.exitCode !== null || performance.now() > deadlineMs) {
        front.close();
        throw new Error('nginx does not start');
      }
      await sleep(POLL_MS);
    }
    return front;
  }

  cpuSeconds(): number {
    return this.#processes().reduce((sum, pid) => sum + processCpuSeconds(pid), 0);
  }

  rssBytes(): number {
    return this.#processes().reduce((sum, pid) => sum + residentBytes(pid), 0);
  }

  close(): void {
    this.#child.kill('SIGTERM');
  }

  #processes(): number[] {
    return processTree(this.#child.pid!);
  }
}

function configuration(directory: string, port: number, behind: number, connections: number): string {
  const { certFile, keyFile } = benchCertificate(directory);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `daemon off;
worker_processes 1;
worker_rlimit_nofile ${connections * 2 + 200};
pid ${directory}/nginx.pid;
events { worker_connections ${connections * 2 + 100}; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${directory}/${name};`).join('\n  ')}
  server {
    listen 127.0.0.1:${port} ssl backlog=4096;
    ssl_certificate ${certFile};
    ssl_certificate_key ${keyFile};
    ssl_protocols TLSv1.2 TLSv1.3;
    location / {
      proxy_pass http://127.0.0.1:${behind};
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_buffering off;
      proxy_read_timeout 120s;
      tcp_nodelay on;
    }
  }
}
`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
