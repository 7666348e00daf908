// Makes the checkout runnable: packages as the lockfile has them, and build/ as the sources are. Runs before anything is installed, so it is
// plain JavaScript without dependencies. Quick when there is nothing to do: it compares sizes and times, and starts nothing.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const buildDir = join(root, 'build');
const installStamp = join(root, 'node_modules/.outcry-install.json');
const buildStamp = join(buildDir, '.build-stamp.json');
const lockFile = join(buildDir, '.bootstrap.lock');

const NODE_MIN = [20, 19];
/** Another bootstrap of this checkout is waited for so long; a fresh install on a slow network takes a minute or two. */
const LOCK_WAIT_MS = 300_000;
const COMPILED = ['src', 'bench', 'scripts'];
const TERMINAL = 'src/terminal';

/** Installs and builds what is not up to date, saying so on stderr. Throws a {@link BootstrapError} that is ready to be printed. */
export async function bootstrap() {
  checkNode();
  if (isInstalled() && isBuilt(sources())) return;
  await withLock(async () => {
    if (!isInstalled()) await install();
    const now = sources();
    if (!isBuilt(now)) await build(now);
  });
}

/** A failure whose message is all that its reader needs. */
export class BootstrapError extends Error {}

/** Bootstraps for a command line: on failure prints why and ends the process. */
export async function bootstrapOrExit() {
  try {
    await bootstrap();
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

/** Runs a program to its end. Resolves with its exit code, 128 + n when signal n ended it; it dies with us on SIGINT and SIGTERM. */
export function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: 'inherit', ...options });
    const forward = (signal) => child.kill(signal);
    process.on('SIGINT', forward);
    process.on('SIGTERM', forward);
    const done = () => {
      process.off('SIGINT', forward);
      process.off('SIGTERM', forward);
    };
    child.on('error', (error) => {
      done();
      reject(error);
    });
    child.on('close', (code, signal) => {
      done();
      resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : 15));
    });
  });
}

/** The entry of a tool that a package brings, run by this very Node: no shell and no npm in between. */
export function tool(path) {
  return join(root, 'node_modules', path);
}

/** Every file below `dir`, relative to the root, with forward slashes. */
export function walk(dir, files = []) {
  const path = join(root, dir);
  if (!existsSync(path)) return files;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const name = `${dir}/${entry.name}`;
    if (entry.isDirectory()) walk(name, files);
    else if (entry.isFile()) files.push(name);
  }
  return files;
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return;
  throw new BootstrapError(`Outcry needs Node ${NODE_MIN.join('.')} or later, this is ${process.versions.node}.`);
}

function lockHash() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

function isInstalled() {
  const hash = lockHash();
  if (readJson(installStamp)?.lock === hash) return true;
  if (!hiddenLockAgrees()) return false;
  writeFileSync(installStamp, JSON.stringify({ lock: hash }));
  return true;
}

/** npm keeps what it installed in a lockfile of its own: an install made by hand from the same lockfile is as good as ours. */
function hiddenLockAgrees() {
  const installed = readJson(join(root, 'node_modules/.package-lock.json'))?.packages;
  if (!installed) return false;
  const wanted = readJson(join(root, 'package-lock.json')).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    const there = installed[path];
    if (there ? there.version !== entry.version || there.integrity !== entry.integrity : !entry.optional) return false;
  }
  return true;
}

async function install() {
  say('Installing packages …');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const args = ['ci', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  // npm's own summary goes to stderr with our words: stdout belongs to the command that was asked for.
  const code = await run(npm, args, { stdio: ['ignore', 2, 2] });
  if (code !== 0) throw new BootstrapError(`npm ci failed with exit code ${code}; what it said is above.`);
  writeFileSync(installStamp, JSON.stringify({ lock: lockHash() }));
}

/** What the build is made from: path to size and time of change. */
function sources() {
  const files = {};
  const add = (path) => {
    const { size, mtimeMs } = statSync(join(root, path));
    files[path] = `${size}:${mtimeMs}`;
  };
  for (const dir of COMPILED) for (const path of walk(dir)) add(path);
  for (const path of ['tsconfig.json', 'package.json', 'package-lock.json']) add(path);
  return files;
}

function isBuilt(now) {
  const before = readJson(buildStamp);
  if (!before || !existsSync(join(buildDir, 'src/cli.js'))) return false;
  const paths = Object.keys(now);
  return paths.length === Object.keys(before).length && paths.every((path) => before[path] === now[path]);
}

async function build(now) {
  say('Building …');
  rmSync(buildStamp, { force: true });
  const tsc = tool('typescript/bin/tsc');
  if ((await run(process.execPath, [tsc, '-p', 'tsconfig.json'], { stdio: ['ignore', 2, 2] })) !== 0) {
    throw new BootstrapError('The sources do not compile; the errors are above.');
  }
  const expected = new Set(['tsconfig.tsbuildinfo']);
  for (const path of Object.keys(now)) {
    if (!path.includes('/')) continue;
    if (path.endsWith('.ts')) {
      // The page's too: its test, and what that imports, is compiled for Node with the rest.
      expected.add(path.replace(/\.ts$/, '.js')).add(path.replace(/\.ts$/, '.js.map'));
    } else if (!path.endsWith('.mjs') && !path.startsWith(`${TERMINAL}/`)) {
      copy(path, path);
      expected.add(path);
    }
  }
  removeStale(expected, (path) => !path.startsWith('public/') && !path.startsWith('.'));
  if (existsSync(join(root, TERMINAL, 'tsconfig.json'))) await buildTerminal(tsc, now);
  writeFileSync(buildStamp, JSON.stringify(now));
}

/** The page: compiled by its own tsconfig into build/public, its other files beside it. Made anew each time: it is small. */
async function buildTerminal(tsc, now) {
  rmSync(join(buildDir, 'public'), { recursive: true, force: true });
  const project = `${TERMINAL}/tsconfig.json`;
  if ((await run(process.execPath, [tsc, '-p', project], { stdio: ['ignore', 2, 2] })) !== 0) {
    throw new BootstrapError('The page does not compile; the errors are above.');
  }
  for (const path of Object.keys(now)) {
    if (!path.startsWith(`${TERMINAL}/`) || /\.(ts|md)$|tsconfig\.json$/.test(path)) continue;
    copy(path, `public/${relative(TERMINAL, path)}`);
  }
}

function copy(from, to) {
  const target = join(buildDir, to);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(join(root, from), target);
}

/** Output whose source is gone would still be run, a deleted test above all. */
function removeStale(expected, ours) {
  for (const path of walk('build')) {
    const name = path.slice('build/'.length);
    if (ours(name) && !expected.has(name)) rmSync(join(root, path));
  }
}

/** One bootstrap at a time in a checkout: two commands started together must not install or compile over each other. */
async function withLock(work) {
  mkdirSync(buildDir, { recursive: true });
  const deadline = Date.now() + LOCK_WAIT_MS;
  while (!takeLock()) {
    if (Date.now() > deadline)
      throw new BootstrapError(`Another build seems to hang. If none runs, delete ${lockFile}.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  try {
    await work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function takeLock() {
  try {
    const file = openSync(lockFile, 'wx');
    writeFileSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  const holder = Number(readText(lockFile) ?? 0);
  if (holder > 0 && !isAlive(holder)) rmSync(lockFile, { force: true });
  return false;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function say(text) {
  process.stderr.write(`${text}\n`);
}
