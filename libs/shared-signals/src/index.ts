/**
 * OpenID Shared Signals: what has happened here told to outside receivers as security event tokens, and what outside
 * transmitters tell taken to be acted upon. Where tokens are kept, signed, sent and received is the caller's business,
 * and so is who may have a stream.
 */
export { caepEvents, riscEvents, streamEvents, transmittedEvents } from './event-types.js';
export { type HeardSignal, hearSignal } from './hear-signal.js';
export { type ExpectedSet, type SetError, SetRefusal, type VerifiedSet, verifySet } from './verify-set.js';
export { buildSetClaims, setType, type Signal } from './security-event-token.js';
export { type Subject, subjectSchema, subjectsMatch, withoutPerson } from './subject-identifier.js';
export { signalsOf } from './signals-of.js';
export { collectSignals } from './collect-signals.js';
export { maxAttempts, pushSignals } from './push-signals.js';
export { type PollAnswer, type PollRequest, pollRequestSchema, pollSignals } from './poll-signals.js';
export {
  changeStream,
  createStream,
  deleteStream,
  getStream,
  nameSubject,
  setStatus,
  verifyStream,
} from './manage-streams.js';
export { describeStatus, describeStream, transmitterMetadata } from './describe-stream.js';
export { deliveryMethods, setRecords, type StreamRecord, streamRecords } from './stream.js';
export {
  statusRequestSchema,
  type StreamRequest,
  streamRequestSchema,
  subjectRequestSchema,
  verificationRequestSchema,
} from './stream-requests.js';
export { hasWaiting, listStreams } from './find-streams.js';
export { StreamRefusal, type StreamRefusalReason, streamRefusalToOAuthError } from './stream-refusal.js';
export type { Receiver, SignalFacts, TransmitterDependencies } from './ports.js';
