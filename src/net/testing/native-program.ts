import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * Programs in C and C++ that tests and benches hold the engine against. They are compiled when first asked for and kept below the build directory
 * under a name that tells their sources, so that a changed source is another program.
 */

const COMPILE_TIMEOUT_MS = 180_000;
const root = findRoot(dirname(fileURLToPath(import.meta.url)));
const cacheDirectory = join(root, 'build/.native');
const compile = promisify(execFile);

/** A program that can be run, or why it is not there: a reason to skip what needs it. */
export type NativeProgram = { readonly path: string } | { readonly missing: string };

/**
 * The program made of `source`, a `.c` or `.cpp` file by its path in the repository, which may include headers that stand beside it.
 * Rejects when there is a compiler and the source does not compile.
 */
export async function nativeProgram(source: string, library: 'quickfix' | null): Promise<NativeProgram> {
  const cPlusPlus = source.endsWith('.cpp');
  const compiler = cPlusPlus ? 'g++' : 'gcc';
  const language = cPlusPlus ? ['-std=c++14', '-Wno-deprecated', '-pthread'] : ['-std=gnu11'];
  const version = await compile(compiler, ['--version']).catch(() => null);
  if (version === null) return { missing: `${compiler} is not installed` };
  if (library === 'quickfix' && !existsSync('/usr/include/quickfix/Message.h'))
    return { missing: 'QuickFIX C++ is not installed (Debian package libquickfix-dev)' };
  const flags = ['-O3', ...language];
  const path = join(cacheDirectory, `${nameOf(source)}-${keyOf(source, [version.stdout, ...flags])}`);
  if (existsSync(path)) return { path };
  mkdirSync(cacheDirectory, { recursive: true });
  // Two processes may compile the same program at a time: each renames a whole one into place.
  const unfinished = `${path}.${process.pid}`;
  const libraries = library === null ? [] : [`-l${library}`];
  await compile(compiler, [...flags, '-o', unfinished, join(root, source), ...libraries], {
    timeout: COMPILE_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  renameSync(unfinished, path);
  return { path };
}

/** QuickFIX-style dictionary of a FIX version; Debian's package of QuickFIX brings none. */
export function dictionaryFile(version: 'FIX42' | 'FIX44'): string {
  return join(root, `node_modules/jspurefix/data/${version}.xml`);
}

function nameOf(source: string): string {
  return source.slice(source.lastIndexOf('/') + 1, source.lastIndexOf('.'));
}

function keyOf(source: string, settings: readonly string[]): string {
  const hash = createHash('sha256').update(settings.join('\n'));
  const directory = dirname(join(root, source));
  const headers = readdirSync(directory).filter((name) => name.endsWith('.h'));
  for (const file of [join(root, source), ...headers.sort().map((name) => join(directory, name))]) {
    hash.update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 16);
}

function findRoot(from: string): string {
  return existsSync(join(from, 'package-lock.json')) ? from : findRoot(dirname(from));
}
