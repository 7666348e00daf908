import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { OutcryError } from '../core/errors.ts';

/** TLS under HTTP and WebSocket: PEM files, TLS 1.2 or later, in the library that serves. */
export interface ClientTls {
  /** The certificate and those of the authorities between it and the root, in this order. */
  readonly certFile: string;
  readonly keyFile: string;
}

/** Anybody on the machine may do so with a file that has one of these bits. */
const OPEN_TO_OTHERS = 0o007;

/** Refuses by CONFIG_INVALID, naming the setting, whatever the library would refuse without a reason and browsers would refuse later. */
export function checkClientTls({ certFile, keyFile }: ClientTls, now: Date): void {
  if (certFile === '') refuse('tls_cert', 'is empty, and tls is on');
  if (keyFile === '') refuse('tls_key', 'is empty, and tls is on');
  const certificate = parsed('tls_cert', certFile, (pem) => new X509Certificate(pem));
  if (new Date(certificate.validTo) <= now) refuse('tls_cert', `${certFile} has expired on ${certificate.validTo}`);
  if (new Date(certificate.validFrom) > now)
    refuse('tls_cert', `${certFile} is not valid before ${certificate.validFrom}`);
  const key = parsed('tls_key', keyFile, (pem) => createPrivateKey(pem));
  const mode = statSync(keyFile).mode & 0o777;
  if ((mode & OPEN_TO_OTHERS) !== 0)
    refuse('tls_key', `${keyFile} is open to every user of the machine (mode ${mode.toString(8)}): chmod o= it`);
  if (!certificate.checkPrivateKey(key)) refuse('tls_key', `${keyFile} is not the key of ${certFile}`);
}

function parsed<T>(setting: string, path: string, parse: (pem: Buffer) => T): T {
  try {
    return parse(readFileSync(path));
  } catch (error) {
    throw new OutcryError('CONFIG_INVALID', `${setting}: ${path}: ${(error as Error).message}`, error);
  }
}

function refuse(setting: string, what: string): never {
  throw new OutcryError('CONFIG_INVALID', `${setting}: ${what}`);
}
