import { X509Certificate } from 'node:crypto';
import { testClientCertificates } from '@behalf/testing';
import {
  type CertificateSubject,
  type CertifiedRequest,
  certificateThumbprint,
  ClientCertificates,
  isIssuedBy,
  matchesSubject,
  readCertificates,
} from './index.js';

const agent = new X509Certificate(testClientCertificates.agent.cert);
const selfSigned = new X509Certificate(testClientCertificates.selfSigned.cert);
const [authority] = readCertificates(testClientCertificates.authority);
const header = `:${agent.raw.toString('base64')}:`;

function request(remoteAddress: string, headers: string[], peer?: X509Certificate): CertifiedRequest {
  return {
    headersDistinct: { 'client-cert': headers },
    socket: { remoteAddress, ...(peer && { getPeerX509Certificate: () => peer }) },
  };
}

describe('ClientCertificates', () => {
  const certificates = new ClientCertificates({ trustedProxies: ['10.0.0.0/8', '192.0.2.1', '::1'] });
  const found = (of: CertifiedRequest): string | undefined => certificates.thumbprint(of);

  it('RFC 9440 §2.1: reads the header of a trusted proxy, however its address is written', () => {
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '192.0.2.1', '::1'])
      expect(found(request(address, [header]))).toBe(certificateThumbprint(agent));
  });

  it('RFC 9440 §4: ignores the header from everybody else, a TLS client with another certificate among them', () => {
    expect(found(request('203.0.113.9', [header]))).toBeUndefined();
    expect(found(request('203.0.113.9', [header], selfSigned))).toBe(certificateThumbprint(selfSigned));
  });

  it('never takes the certificate of a trusted proxy itself for the client’s', () => {
    expect(found(request('10.1.2.3', [], selfSigned))).toBeUndefined();
    expect(found(request('10.1.2.3', [header], selfSigned))).toBe(certificateThumbprint(agent));
  });

  it.each([
    ['two headers', [header, `:${selfSigned.raw.toString('base64')}:`]],
    ['two values', [`${header}, ${header}`]],
    ['parameters', [`${header};a=1`]],
    ['PEM', [testClientCertificates.agent.cert.replaceAll('\n', ' ')]],
    ['base64 of PEM', [`:${Buffer.from(testClientCertificates.agent.cert).toString('base64')}:`]],
    ['bytes at the end', [`:${Buffer.concat([agent.raw, Buffer.from('x')]).toString('base64')}:`]],
    ['no colons', [agent.raw.toString('base64')]],
    ['nothing', ['::']],
    ['too much', [`:${'A'.repeat(20_000)}:`]],
  ])('takes no certificate from a header with %s', (_title, values) => {
    expect(found(request('10.1.2.3', values))).toBeUndefined();
  });

  it('refuses to start with a proxy that is no address', () => {
    expect(() => new ClientCertificates({ trustedProxies: ['proxy.example'] })).toThrow();
  });
});

describe('isIssuedBy', () => {
  const now = Date.parse('2027-01-01');

  it('accepts what an authority of the list issued, and nothing else', () => {
    expect(isIssuedBy(agent, [authority!], now)).toBe(true);
    expect(isIssuedBy(agent, [], now)).toBe(false);
    expect(isIssuedBy(selfSigned, [authority!], now)).toBe(false);
    // In the list by mistake, it is still no authority.
    expect(isIssuedBy(selfSigned, [selfSigned], now)).toBe(false);
    expect(isIssuedBy(authority!, [authority!], now)).toBe(false);
  });

  it.each(['2000-01-01', '2200-01-01'])('accepts none at %s, outside of its validity', (date) => {
    expect(isIssuedBy(agent, [authority!], Date.parse(date))).toBe(false);
  });
});

describe('matchesSubject', () => {
  it.each<[CertificateSubject, string]>([
    ['tls_client_auth_subject_dn', String.raw`CN=reporter,O=Example\, Inc,C=DE`],
    ['tls_client_auth_san_uri', 'spiffe://example.org/reporter'],
    ['tls_client_auth_san_dns', 'reporter.example'],
    ['tls_client_auth_san_ip', '192.0.2.7'],
    ['tls_client_auth_san_ip', '2001:db8:0::1'],
    ['tls_client_auth_san_email', 'reporter@example.org'],
  ])('RFC 8705 §2.1.2: %s %s', (subject, expected) => {
    expect(matchesSubject(agent, subject, expected)).toBe(true);
    expect(matchesSubject(selfSigned, subject, expected)).toBe(subject === 'tls_client_auth_subject_dn');
  });

  it.each<[CertificateSubject, string]>([
    ['tls_client_auth_subject_dn', 'CN=reporter'],
    ['tls_client_auth_subject_dn', String.raw`C=DE,O=Example\, Inc,CN=reporter`],
    ['tls_client_auth_subject_dn', 'CN=reporter,O=Example, Inc,C=DE'],
    ['tls_client_auth_subject_dn', ''],
    ['tls_client_auth_san_uri', 'spiffe://example.org/reporter/x'],
    ['tls_client_auth_san_uri', 'reporter.example'],
    ['tls_client_auth_san_dns', 'spiffe://example.org/reporter'],
    ['tls_client_auth_san_dns', 'REPORTER.EXAMPLE.evil'],
    ['tls_client_auth_san_ip', 'reporter.example'],
    ['tls_client_auth_san_email', ''],
  ])('does not match %s %j', (subject, expected) => {
    expect(matchesSubject(agent, subject, expected)).toBe(false);
  });

  it('X509-SVID §5.2: no certificate is two workloads', () => {
    const id = 'spiffe://example.org/reporter';
    const matches = (subjectAltName: string) =>
      matchesSubject({ subjectAltName } as X509Certificate, 'tls_client_auth_san_uri', id);
    expect(matches(`DNS:reporter.example, URI:${id}`)).toBe(true);
    expect(matches(`URI:${id}, URI:spiffe://example.org/admin`)).toBe(false);
    expect(matches(`URI:https://reporter.example, URI:${id}`)).toBe(false);
  });

  it('is not misled by a value that looks like several (CVE-2021-44532)', () => {
    const forged = {
      subjectAltName: 'URI:"http://x/, DNS:reporter.example", DNS:other.example',
    } as X509Certificate;
    expect(matchesSubject(forged, 'tls_client_auth_san_dns', 'reporter.example')).toBe(false);
    expect(matchesSubject(forged, 'tls_client_auth_san_dns', 'other.example')).toBe(true);
  });
});
