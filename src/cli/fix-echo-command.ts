import { type Command, InvalidArgumentError } from 'commander';
import { ECHO_COMP_ID, ECHO_COUNTERPARTIES } from '../core/fix/echo-application.ts';
import { listenFixEcho } from '../net/fix-echo.ts';
import { addCredentialOptions, type CredentialOptions, credentialsOf } from './credential-options.ts';

interface EchoOptions extends CredentialOptions {
  readonly host: string;
  readonly port: number;
}

const PORT_MAX = 65_535;

/** `outcry fix echo`: a conformance acceptor made of the product's own session layer. */
export function addFixEchoCommand(fix: Command): void {
  const counterparties = Object.entries(ECHO_COUNTERPARTIES)
    .map(([version, compID]) => `${version} (${compID} to ${ECHO_COMP_ID})`)
    .join(' and ');
  const echo = fix
    .command('echo')
    .description(`run a conformance acceptor until SIGINT or SIGTERM: ${counterparties} on one port`)
    .requiredOption('--port <port>', 'port to listen on; 0 takes a free one', portNumber)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .addHelpText(
      'after',
      `
Both numbers begin at 1 with every Logon; no schedule, no password unless --username is given. Everything is validated. NewOrderSingle (D) and
SecurityDefinition (d) come back with their body as it was; other application messages get a BusinessMessageReject (j).

Examples:
  outcry fix echo --port 9878`,
    );
  addCredentialOptions(echo).action(runUntilSignal);
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > PORT_MAX) throw new InvalidArgumentError(`a whole number from 0 to ${PORT_MAX}`);
  return port;
}

async function runUntilSignal({ host, port, ...credentials }: EchoOptions): Promise<void> {
  const acceptor = await listenFixEcho(host, port, credentialsOf(credentials));
  process.stdout.write(`The FIX echo listens on ${host}:${acceptor.port}\n`);
  await new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await acceptor.close('the echo ends');
}
