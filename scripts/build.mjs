// `npm run build`: installs and builds what is missing. `npm run generate`: also writes every generated file anew, and builds with those.
import { bootstrapOrExit, root, run, walk } from './bootstrap.mjs';

await bootstrapOrExit();
if (process.argv.includes('--generate')) {
  for (const path of walk('build/scripts')) {
    if (!/\/generate-[a-z-]+\.js$/.test(path)) continue;
    const code = await run(process.execPath, [path], { cwd: root });
    if (code !== 0) process.exit(code);
  }
  await bootstrapOrExit();
}
