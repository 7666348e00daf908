import { EchoApplication, echoSettings } from '../core/fix/echo-application.ts';
import { FixVersion } from '../core/fix/fix-version.ts';
import type { LogonCredentials } from '../core/fix/session-contract.ts';
import { type FixAcceptor, listenFix } from './fix-tcp.ts';

/** The conformance acceptor: FIX 4.2 and 4.4 at one port (0 for a free one); null asks for no credentials. Rejects with LISTEN_FAILED. */
export function listenFixEcho(host: string, port: number, credentials: LogonCredentials | null): Promise<FixAcceptor> {
  const session = echoSettings(FixVersion.Fix44, credentials);
  return listenFix({ host, port, session, application: new EchoApplication() });
}
