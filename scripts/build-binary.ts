/**
 * The single executable, as Node makes them: this very Node with our files inside. `--tarball` also makes what is copied to a fleet. Both lie in `artifacts/`.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { MANIFEST } from '../src/net/executable-assets.ts';
import { bundleStarter, type PackedTree, packTree } from './packed-tree.ts';

/** What Node looks for in itself. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
const root = process.cwd();
const staging = join(root, 'build/.binary');
const artifacts = join(root, 'artifacts');
const executable = join(artifacts, 'outcry');

rmSync(staging, { recursive: true, force: true });
mkdirSync(artifacts, { recursive: true });
const tree = await packTree(root, staging);
await makeExecutable(tree);
tell(executable);
if (process.argv.includes('--tarball')) tell(makeTarball(tree));
rmSync(staging, { recursive: true });

async function makeExecutable({ files }: PackedTree): Promise<void> {
  const main = join(staging, 'main.cjs');
  await bundleStarter(root, main);
  writeFileSync(join(staging, MANIFEST), JSON.stringify(files));
  const hashes = readdirSync(join(staging, 'assets'));
  const assets = Object.fromEntries(hashes.map((sha256) => [sha256, join(staging, 'assets', sha256)]));
  const output = join(staging, 'outcry.blob');
  writeFileSync(
    join(staging, 'sea.json'),
    JSON.stringify({
      main,
      output,
      disableExperimentalSEAWarning: true,
      assets: { ...assets, [MANIFEST]: join(staging, MANIFEST) },
    }),
  );
  run(process.execPath, ['--experimental-sea-config', join(staging, 'sea.json')]);
  const aside = join(staging, 'outcry');
  copyFileSync(process.execPath, aside);
  chmodSync(aside, 0o755);
  run(process.execPath, [
    join(root, 'node_modules/postject/dist/cli.js'),
    ...[aside, 'NODE_SEA_BLOB', output, '--sentinel-fuse', FUSE],
  ]);
  renameSync(aside, executable);
}

function makeTarball(tree: PackedTree): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const name = `outcry-${version}-${process.platform}-${process.arch}`;
  const directory = join(staging, name);
  mkdirSync(directory);
  copyFileSync(executable, join(directory, 'outcry'));
  copyFileSync(join(root, 'LICENSE'), join(directory, 'LICENSE'));
  for (const file of ['INSTALL.md', 'README.md', '90-outcry.conf', 'outcry.service', 'outcry.example.toml'])
    copyFileSync(join(root, 'native-config', file), join(directory, file));
  writeFileSync(join(directory, 'THIRD-PARTY-LICENSES'), licenses(tree.packages));
  const tarball = join(artifacts, `${name}.tar.gz`);
  run('tar', ['-C', staging, '--owner=0', '--group=0', '-czf', tarball, name]);
  return tarball;
}

/** Licences want to be where the code is. */
function licenses(packages: readonly string[]): string {
  const texts = packages.map((name) => {
    const directory = join(root, 'node_modules', name);
    const file = existsSync(directory) ? readdirSync(directory).find((each) => /^licen[cs]e/i.test(each)) : undefined;
    return `${name}\n\n${file === undefined ? 'See its package.' : readFileSync(join(directory, file), 'utf8').trim()}\n`;
  });
  return [`Node.js ${process.version}: github.com/nodejs/node, LICENSE\n`, ...texts].join(`\n${'-'.repeat(80)}\n\n`);
}

function run(program: string, args: readonly string[]): void {
  execFileSync(program, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
}

function tell(path: string): void {
  process.stdout.write(`${path}: ${(statSync(path).size / 1e6).toFixed(1)} MB\n`);
}
