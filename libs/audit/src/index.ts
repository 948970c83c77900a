/**
 * What is written down about every exchange, decision, sign-in and administrative act, allowed or refused, and the
 * port it is written through. What must be recorded and cannot be is refused by the caller.
 */
export { type AuditLog, type AuditRecord, auditRecordSchema } from './audit-record.js';
