// `npm test`: installs and builds what is missing, lints, checks the browser's code, runs every test. `npm test -- PATTERN …` runs the test files
// whose path has one of the patterns in it, and nothing else.
//
// What is counted is test points: each assertion is one, and so is each skipped test, each linter run and each type check. A file that ends wrongly
// with no assertion failed (a crash, a time-out, a plan not met) is one failure.
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { bootstrapOrExit, root, tool, walk } from './bootstrap.mjs';

const SKIP_IS_FAILURE = process.env.CI === 'true';
const tapStamp = tool('.outcry-tap-build');
const patterns = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };

await bootstrapOrExit();
await buildTap();
if (patterns.length === 0) {
  await check('biome check', [tool('@biomejs/biome/bin/biome'), 'check', '--colors=off', '.']);
  for (const project of walk('src').filter((path) => path.endsWith('/tsconfig.json'))) {
    await check(`tsc -p ${project}`, [tool('typescript/bin/tsc'), '-p', project, '--noEmit']);
  }
}
await runTests(testFiles());

const bad = total.failed > 0 || (SKIP_IS_FAILURE && total.skipped > 0);
if (SKIP_IS_FAILURE && total.skipped > 0) say('CI=true: a skip is a failure.');
say(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = bad ? 1 : 0;

function testFiles() {
  const files = walk('build').filter((path) => path.endsWith('.test.js'));
  const chosen =
    patterns.length === 0 ? files : files.filter((path) => patterns.some((pattern) => path.includes(pattern)));
  if (chosen.length === 0) {
    say(`No test file matches ${patterns.join(', ')}.`);
    total.failed++;
  }
  return chosen.sort();
}

/** The first run of tap after an install builds its set of plugins and fails; built before, it does not. */
async function buildTap() {
  if (existsSync(tapStamp)) return;
  const { code, output } = await capture([tool('tap/dist/esm/run.mjs'), 'build']);
  if (code !== 0) {
    say(output);
    say('tap could not build its plugins.');
    process.exit(1);
  }
  writeFileSync(tapStamp, '');
}

async function check(name, args) {
  const { code, output } = await capture(args);
  if (code === 0) total.passed++;
  else total.failed++;
  say(`${code === 0 ? 'ok  ' : 'FAIL'} ${name}`);
  if (code !== 0) say(indent(output.trimEnd()));
}

function capture(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

async function runTests(files) {
  if (files.length === 0) return;
  const { Parser } = await import('tap-parser');
  const args = [tool('tap/dist/esm/run.mjs'), '--reporter=tap', ...files];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const seen = new Set();
  const parser = new Parser();
  parser.on('child', (file) => watchFile(file, seen));
  // Diagnostics that tap writes outside every test file: a runner that breaks must not look green.
  parser.on('assert', (point) => {
    if (!point.ok && !seen.has(point.name)) failFile(point.name, 'ended wrongly');
  });
  child.stdout.pipe(parser);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  const code = await new Promise((resolve) => child.on('close', resolve));
  for (const file of files) if (!seen.has(file)) failFile(file, 'gave no result');
  if (code !== 0 && total.failed === 0) failFile('tap', `ended with exit code ${code}`);
}

function failFile(name, text) {
  total.failed++;
  say(`FAIL ${name}: ${text}`);
}

/** One test file is one child of the runner's stream: its points are gathered and told in one piece when it ends. */
function watchFile(file, seen) {
  const found = { passed: 0, failed: 0, skipped: 0, lines: [] };
  gather(file, [], found);
  const name = file.name;
  seen.add(name);
  file.on('complete', (results) => {
    if (results.plan?.skipAll && found.skipped === 0) {
      found.skipped++;
      found.lines.push(`skip: ${results.plan.skipReason || 'no reason given'}`);
    } else if (!results.ok && found.failed === 0) {
      found.failed++;
      found.lines.push(...results.failures.map((failure) => explain(failure, [])));
    }
    total.passed += found.passed;
    total.failed += found.failed;
    total.skipped += found.skipped;
    say(`${found.failed > 0 ? 'FAIL' : 'ok  '} ${name.replace(/^build\//, '')} (${found.passed} passed)`);
    for (const line of found.lines) say(indent(line));
  });
}

/** Counts the leaves below `parser`. A point that sums up a subtest is no leaf, unless the subtest broke without a failed leaf. */
function gather(parser, path, found) {
  let child;
  parser.on('child', (subtest) => {
    child = { failedBefore: found.failed, skippedBefore: found.skipped };
    gather(subtest, [...path, subtest.name], found);
  });
  parser.on('comment', (comment) => {
    if (/seed/i.test(comment) && !comment.startsWith('# Subtest')) found.lines.push(comment.trim());
  });
  parser.on('assert', (point) => {
    const summary = child;
    child = undefined;
    if (summary && point.ok && !(point.skip && found.skipped === summary.skippedBefore)) return;
    if (summary && !point.ok && found.failed > summary.failedBefore) return;
    if (point.skip || point.todo) {
      found.skipped++;
      const reason = typeof (point.skip || point.todo) === 'string' ? point.skip || point.todo : point.name;
      found.lines.push(`skip: ${[...path, point.name].join(' > ')}: ${reason}`);
    } else if (point.ok) {
      found.passed++;
    } else {
      found.failed++;
      found.lines.push(explain(point, path));
    }
  });
}

function explain(failure, path) {
  const { diag } = failure;
  const head = `not ok: ${[...path, failure.name ?? failure.tapError ?? 'the file'].join(' > ')}`;
  if (!diag) return head;
  const at = diag.at?.fileName ? `at ${diag.at.fileName}:${diag.at.lineNumber}` : '';
  const rest = Object.entries(diag)
    .filter(([key]) => !['at', 'source', 'stack', 'diff', 'compare'].includes(key))
    .map(([key, value]) => `${key}: ${typeof value === 'string' ? value : inspect(value, { breakLength: Infinity })}`);
  return [head, at, diag.diff, diag.stack, ...rest]
    .filter(Boolean)
    .map((line, i) => (i === 0 ? line : indent(line)))
    .join('\n');
}

function indent(text) {
  return text.replace(/^/gm, '     ');
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
