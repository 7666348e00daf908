// `npm start`: installs and builds what is missing, then is the supervisor itself: no process of its own stands between it and whoever started it.
// package.json says `exec` for the same reason: a shell in between would keep npm's signals to itself.
import { bootstrapOrExit } from './bootstrap.mjs';

await bootstrapOrExit();
process.argv.splice(2, 0, 'start');
await import('../build/src/cli.js');
