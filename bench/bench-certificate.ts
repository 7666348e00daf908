import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientTls } from '../src/net/client-tls.ts';
import { testAuthority } from '../src/net/testing/test-certificate.ts';

/** A certificate of the kind that is common now, ECDSA on P-256, for the time of a bench. */
export function benchCertificate(directory: string): ClientTls {
  const { certificate, key } = testAuthority('Outcry bench').sign('bench.test');
  const certFile = join(directory, 'bench.pem');
  const keyFile = join(directory, 'bench.key');
  writeFileSync(certFile, certificate);
  writeFileSync(keyFile, key, { mode: 0o600 });
  return { certFile, keyFile };
}
