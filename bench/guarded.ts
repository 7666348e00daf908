/**
 * Runs another program's entry in this process and ends it as a terminal would, with SIGTERM, when the bench that forked it is gone: whatever
 * becomes of the bench, nothing it started stays behind. Arguments: the entry's path, then the entry's own.
 */
import { pathToFileURL } from 'node:url';

process.argv.splice(1, 1);
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// The channel to the bench carries no messages and must not keep a process alive that has ended its work.
process.channel?.unref();
await import(pathToFileURL(process.argv[1]!).href);
