import { generateKeyPairSync, sign } from 'node:crypto';

/**
 * Certificates for tests, made on the spot: Node signs but has no writer of certificates, so their DER (X.509, RFC 5280) is put together here. ECDSA on P-256,
 * valid for a day around now.
 */

export interface TestCertificate {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

const DAY_MS = 86_400_000;
/** ecdsa-with-SHA256, 1.2.840.10045.4.3.2. */
const ECDSA_SHA256 = der(0x30, der(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
const COMMON_NAME = Buffer.from('550403', 'hex');
const BASIC_CONSTRAINTS = Buffer.from('551d13', 'hex');
const SUBJECT_ALT_NAME = Buffer.from('551d11', 'hex');

let serial = 1;

/** An authority and what it signs: `sign(name)` makes a certificate for a DNS name. */
export function testAuthority(name: string): TestCertificate & { sign(dnsName: string): TestCertificate } {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const make = (subject: string, publicKey: Buffer, extension: Buffer): string => {
    const notBefore = new Date(Date.now() - DAY_MS);
    const notAfter = new Date(Date.now() + DAY_MS);
    const body = der(
      0x30,
      der(0xa0, der(0x02, Buffer.from([2]))),
      der(0x02, Buffer.from([serial++])),
      ECDSA_SHA256,
      distinguishedName(name),
      der(0x30, utcTime(notBefore), utcTime(notAfter)),
      distinguishedName(subject),
      publicKey,
      der(0xa3, der(0x30, extension)),
    );
    const signature = sign('sha256', body, keys.privateKey);
    const certificate = der(0x30, body, ECDSA_SHA256, der(0x03, Buffer.from([0]), signature));
    return `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
  };
  const spki = (key: typeof keys.publicKey): Buffer => key.export({ type: 'spki', format: 'der' });
  const pem = (key: typeof keys.privateKey): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
  const isAuthority = extension(BASIC_CONSTRAINTS, der(0x30, der(0x01, Buffer.from([0xff]))));
  return {
    certificate: make(name, spki(keys.publicKey), isAuthority),
    key: pem(keys.privateKey),
    sign(dnsName) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const alternative = extension(SUBJECT_ALT_NAME, der(0x30, der(0x82, Buffer.from(dnsName, 'latin1'))));
      return { certificate: make(dnsName, spki(own.publicKey), alternative), key: pem(own.privateKey) };
    },
  };
}

function distinguishedName(commonName: string): Buffer {
  const value = der(0x0c, Buffer.from(commonName, 'utf8'));
  return der(0x30, der(0x31, der(0x30, der(0x06, COMMON_NAME), value)));
}

function extension(identifier: Buffer, value: Buffer): Buffer {
  return der(0x30, der(0x06, identifier), der(0x04, value));
}

/** YYMMDDHHMMSSZ. */
function utcTime(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  return der(0x17, Buffer.from(digits.slice(2), 'latin1'));
}

/** Tag, length, contents. */
function der(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}
