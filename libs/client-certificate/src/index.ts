/**
 * The certificate that the client of a request has proved to hold: by the TLS connection itself, or told by a proxy that
 * is trusted to tell it. Who may authenticate by it is decided where clients are known; that a token is bound to it is
 * checked in `@behalf/resource-server`. No I/O.
 */
export {
  ClientCertificates,
  type ClientCertificatesOptions,
  type CertifiedRequest,
} from './client-certificates.js';
export { certificateThumbprint } from './certificate-thumbprint.js';
export { isIssuedBy } from './is-issued-by.js';
export { matchesSubject, type CertificateSubject, certificateSubjects } from './matches-subject.js';
export { readCertificates } from './read-certificates.js';
