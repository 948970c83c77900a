/**
 * Elicitations: a third party's token is needed for a person, who has to agree. Read `obtain-third-party-token.ts` for
 * what an asker gets, `transition.ts` for what may follow what, and `render-for-mcp.ts` for how clients are told. How
 * providers are spoken to is in `@behalf/third-party`, where tokens are kept in `@behalf/vault`, the pages are in
 * `apps/elicitation`.
 */
export { type Elicitation, accountKey, elicitationRecords, isLive, statusAt } from './elicitation.js';
export { type Consent, consentRecords, findConsent } from './consent.js';
export {
  ElicitationRefusal,
  type ElicitationRefusalReason,
  elicitationRefusalToOAuthError,
} from './elicitation-refusal.js';
export {
  type ChangedElicitation,
  agreeToElicitation,
  cancelElicitations,
  cancelMatching,
  completeElicitation,
  declineElicitation,
  expireElicitations,
  findElicitation,
  flowSeconds,
  openElicitation,
} from './change-elicitation.js';
export { type WithdrawnConsent, withdrawConsent } from './withdraw-consent.js';
export {
  type ObtainedToken,
  obtainThirdPartyToken,
  pollIntervalSeconds,
} from './obtain-third-party-token.js';
export type { ConnectionTokens, ElicitationDependencies, ElicitedProvider, TokenUse } from './ports.js';
export {
  type ShownOffer,
  elicitationInputKey,
  renderCompleteNotification,
  renderInputRequired,
  renderMeta,
  renderPushedRequest,
  renderRequiredError,
  renderText,
  renderToolResult,
  urlElicitationRequired,
} from './render-for-mcp.js';
export { type ElicitationTask, renderTask } from './render-task.js';
