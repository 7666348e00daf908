/** A process that opens a ledger and tells where it is, for tests that kill it. */
import { lockDataDir } from '../data-lock.ts';
import { openLedgerDatabase } from '../ledger-database.ts';

const dataDir = process.argv[2]!;
lockDataDir(dataDir);
const { server } = await openLedgerDatabase({ dataDir, url: '', passwordFile: '', log: () => {} });
process.stdout.write(`ready ${server!.pid} ${server!.socketDirectory}\n`);
