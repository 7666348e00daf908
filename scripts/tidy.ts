/** House rules that no linter has. `node build/scripts/tidy.js` prints what breaks them; `tidy.test.ts` holds the tree to them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { renderLayouts } from '../src/core/shm/layout.ts';
import { layoutFiles } from '../src/core/shm/layout-files.ts';
import { renderExampleFile } from '../src/net/config-text.ts';

/** What is looked at: these directories whole, and the text files of the root. */
const DIRECTORIES = ['.ci', 'bench', 'native-config', 'scripts', 'src'];
const TEXT = /\.(ts|mjs|js|json|md|toml|sh|css|html|service|conf|c|cpp|h)$|^\.ci\/run$/;
/** The lockfile is npm's. */
const NOT_OURS = new Set(['package-lock.json']);

const LINES_MAX = 400;
const TEST_LINES_MAX = 600;
/** A ratchet: files that were longer when the rule came, and how long they may be. None is to be added. */
const LONG_FILES: Readonly<Record<string, number>> = {
  'src/core/market-data/feed-handler.ts': 480,
};

/** Files on the path of a message, an update or a frame: their first line says so, and what is avoided in them. */
const HOT_FILES = [
  'src/core/fix/execution-report-record.ts',
  'src/core/fix/fix-decoder.ts',
  'src/core/fix/fix-encoder.ts',
  'src/core/fix/fix-framer.ts',
  'src/core/fix/fix-session.ts',
  'src/core/fix/inbound-messages.ts',
  'src/core/fix/message-validator.ts',
  'src/core/market-data/feed-handler.ts',
  'src/core/market-data/quote-board.ts',
  'src/core/market-data/symbol-index.ts',
  'src/core/shm/broadcast-ring.ts',
  'src/core/shm/dirty-bitmap.ts',
  'src/core/shm/spsc-ring.ts',
  'src/net/ledger-parameters.ts',
];

interface Layer {
  readonly folder: string;
  readonly own: RegExp;
  readonly packages: boolean;
  readonly rule: string;
}

/** Where a layer may import from. Tests of a layer may import anything. */
const LAYERS: readonly Layer[] = [
  {
    folder: 'src/core/',
    own: /^src\/core\//,
    packages: false,
    rule: 'core imports core only: no Node module, no package',
  },
  { folder: 'src/net/', own: /^src\/(core|net)\//, packages: true, rule: 'net imports net and core' },
  {
    folder: 'src/client/',
    own: /^src\/(core|client)\//,
    packages: false,
    rule: 'the client ships to others: client and core only',
  },
];

/** Text that has no place in the tree: places of one machine, hosts of package registries, promises. */
const FORBIDDEN: readonly (readonly [RegExp, string])[] = [
  [/(?<![\w.])\/(work|root|home\/\w+)\//, 'a path of one machine'],
  [/(?<![\w.])\/tmp\//, 'a path of one machine: mkdtemp makes one anywhere'],
  [/registry\.(npmjs|yarnpkg)\.|npmmirror\.com/, 'the host of a package registry'],
  [/\b(TO[D]O|FIX[M]E|XX[X])\b/, 'work put off: do it, or write it down where work is planned'],
];

export interface Finding {
  readonly path: string;
  readonly text: string;
}

/** Everything below `root` that breaks a rule. */
export function findings(root: string): Finding[] {
  const files = textFiles(root);
  const found: Finding[] = [];
  for (const path of files) {
    const text = readFileSync(join(root, path), 'utf8');
    const add = (what: string): void => void found.push({ path, text: what });
    checkName(path, add);
    checkLength(path, text, add);
    checkWords(text, add);
    if (path.endsWith('.ts')) {
      checkImports(path, text, add);
      checkHot(path, text, add);
    }
  }
  checkLockfile(root, (text) => void found.push({ path: 'package-lock.json', text }));
  for (const path of HOT_FILES) {
    if (existsSync(join(root, 'src')) && !files.includes(path))
      found.push({ path, text: 'is on the list of hot files and not there' });
  }
  return found;
}

/** Generated files that differ from what their generator writes now. */
export function staleGenerated(root: string): Finding[] {
  const expected = new Map<string, string>([['native-config/outcry.example.toml', renderExampleFile()]]);
  for (const { name, layouts } of layoutFiles) {
    expected.set(`src/core/shm/generated/${name}.gen.ts`, renderLayouts(name, layouts));
  }
  return [...expected]
    .filter(([path, text]) => !existsSync(join(root, path)) || readFileSync(join(root, path), 'utf8') !== text)
    .map(([path]) => ({ path, text: 'is not what its generator writes: npm run generate' }));
}

function textFiles(root: string): string[] {
  const top = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isFile());
  const files = top.map((entry) => entry.name);
  for (const directory of DIRECTORIES.filter((name) => existsSync(join(root, name)))) {
    for (const entry of readdirSync(join(root, directory), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      files.push(
        join(entry.parentPath, entry.name)
          .slice(root.length + 1)
          .replaceAll('\\', '/'),
      );
    }
  }
  return files.filter((path) => TEXT.test(path) && !NOT_OURS.has(path)).sort();
}

function checkName(path: string, add: (text: string) => void): void {
  if (!path.startsWith('src/') && !path.startsWith('bench/')) return;
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (/^(utils?|helpers?|common|misc)\b/.test(name)) add('says nothing about what is in it');
  if (/^index\.[jt]s$/.test(name)) add('is a barrel: import from the module itself');
  if (name.endsWith('.ts') && !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*\.ts$/.test(name)) add('is not kebab-case');
}

function checkLength(path: string, text: string, add: (text: string) => void): void {
  if (!/\.(ts|mjs)$/.test(path) || path.endsWith('.gen.ts')) return;
  const lines = text.split('\n').length - 1;
  const ordinary = path.endsWith('.test.ts') ? TEST_LINES_MAX : LINES_MAX;
  const allowed = LONG_FILES[path] ?? ordinary;
  if (lines > allowed) add(`has ${lines} lines, ${allowed} are allowed: split it by what makes it change`);
  else if (allowed !== ordinary && lines <= ordinary) add(`has ${lines} lines now: take it off the list of long files`);
}

function checkWords(text: string, add: (text: string) => void): void {
  text.split('\n').forEach((line, i) => {
    for (const [pattern, what] of FORBIDDEN) {
      const match = pattern.exec(line);
      if (match) add(`line ${i + 1} has ${JSON.stringify(match[0])}: ${what}`);
    }
  });
}

function checkImports(path: string, text: string, add: (text: string) => void): void {
  if (path.endsWith('.test.ts')) return;
  const layer = LAYERS.find(({ folder }) => path.startsWith(folder));
  if (layer === undefined) return;
  for (const match of text.matchAll(
    /^\s*(?:import|export)\s[^'"]*?from\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]/gm,
  )) {
    const specifier = (match[1] ?? match[2] ?? match[3]) as string;
    const allowed = specifier.startsWith('.') ? layer.own.test(join(path, '..', specifier)) : layer.packages;
    if (!allowed) add(`imports ${specifier}: ${layer.rule}`);
  }
}

function checkHot(path: string, text: string, add: (text: string) => void): void {
  const first = text.slice(0, text.indexOf('\n'));
  if (HOT_FILES.includes(path) && !/^\/\/ hot: ./.test(first))
    add('is a hot file: its first line must be "// hot: …" with what is avoided in it');
  if (/^src\/(core|net|workers)\//.test(path) && /\n\s*\/\/ hot:/.test(text))
    add('has "// hot:" below its first line, where nobody looks for it');
}

interface LockEntry {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * npm leaves out of a lockfile the optional packages that it could not fetch when it wrote it, those of other platforms on a mirror that lacks them
 * for example, and then `npm ci` refuses the file everywhere. An entry of version, os and cpu is enough.
 */
function checkLockfile(root: string, add: (text: string) => void): void {
  const path = join(root, 'package-lock.json');
  if (!existsSync(path)) return;
  const { packages } = JSON.parse(readFileSync(path, 'utf8')) as { packages: Record<string, LockEntry> };
  for (const [where, entry] of Object.entries(packages)) {
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      const there = packages[`node_modules/${name}`] ?? packages[`${where}/node_modules/${name}`];
      if (!there) add(`lacks ${name}, which ${where} names: npm ci will refuse it`);
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const all = [...findings(process.cwd()), ...staleGenerated(process.cwd())];
  for (const { path, text } of all) console.log(`${path}: ${text}`);
  process.exitCode = all.length > 0 ? 1 : 0;
}
