import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { isLoopback } from '../net/client-url.ts';
import { loadConfig } from '../net/config.ts';
import { configFile } from './config-command.ts';

/** How often the process that started us is looked for, milliseconds. */
const PARENT_POLL_MS = 250;

export function addStartCommand(program: Command): void {
  program
    .command('start')
    .description(
      'start the engine, and the bundled exchange simulator unless a venue is configured; runs until SIGINT or SIGTERM',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  outcry start\n  OUTCRY_DATA_DIR=/srv/outcry OUTCRY_PORT=9100 outcry start\n  outcry --config desk.toml start',
    )
    .action(start);
}

async function start(_options: object, command: Command): Promise<void> {
  const config = loadConfig({ file: configFile(command), environment: process.env, directory: process.cwd() });
  if (config.clientTls === null && !isLoopback(config.values.host)) {
    const { host } = config.values;
    process.stderr.write(
      `outcry: warning: ${host} is open to the network without TLS: set tls, tls_cert and tls_key, or let only a proxy that speaks TLS reach it\n`,
    );
  }
  // Loaded here: no other command needs it, and it needs much.
  const { Supervisor } = await import('../workers/supervisor.ts');
  const supervisor = new Supervisor({ config, onReady: (line) => process.stdout.write(`${line}\n`) });
  process.title = 'outcry-supervisor';
  // Again and again is once: npm passes on a signal that the terminal gave us already.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => supervisor.stop(signal));
  const parents = parentsThatMatter();
  const parentWatch = setInterval(() => {
    if (parents.some(({ pid, parent }) => parentOf(pid) !== parent))
      supervisor.stop('the process that started this one is gone');
  }, PARENT_POLL_MS);
  try {
    await supervisor.run();
  } finally {
    clearInterval(parentWatch);
  }
}

interface Parentage {
  readonly pid: number;
  readonly parent: number;
}

/**
 * Under npm, whoever kills npm means us, and `kill -9` gives npm no time to say so: its orphan goes by itself. So the links from here up to npm,
 * through the shell that it runs scripts in where that stays, are watched. Started any other way we outlive our parent, as a daemon must.
 */
function parentsThatMatter(): Parentage[] {
  if (process.env.npm_lifecycle_event === undefined) return [];
  const links = [{ pid: process.pid, parent: process.ppid }];
  if (/^(sh|dash|bash)$/.test(nameOf(process.ppid))) links.push({ pid: process.ppid, parent: parentOf(process.ppid) });
  return links;
}

function parentOf(pid: number): number {
  if (pid === process.pid) return process.ppid;
  return Number(statFields(pid)[1] ?? 0);
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

/** The fields of proc(5) stat after the name in brackets: state, parent, … */
function statFields(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
