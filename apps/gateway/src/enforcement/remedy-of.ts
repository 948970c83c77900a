import type { DecisionContext } from '@behalf/contracts';
import type { DenialRemedy } from '@behalf/mcp';
import type { ApprovalTask } from './policy-decisions.js';

/**
 * What can be done about a denial; undefined when nothing can, and then nothing is told of it, either. A scope that is
 * missing is told by the transport, see `checkPolicyScopes`.
 */
export function remedyOf(
  { reason }: DecisionContext,
  approval: ApprovalTask | undefined,
): DenialRemedy | undefined {
  switch (reason) {
    case 'approval_required':
      return approval && approvalRemedy(approval);
    case 'budget_exceeded':
      return { text: 'Denied for now: the budget for this is spent. Retry after a while, and not at once.' };
    case 'tool_changed':
      return {
        text: 'Denied: this tool is not the one that was reviewed. An administrator has to look at its definition.',
      };
    default:
      return undefined;
  }
}

function approvalRemedy({ id, status, form_url: url, expires_at: expiresAt }: ApprovalTask): DenialRemedy {
  const approval = { id, status, url, expiresAt };
  if (status === 'denied')
    return { text: `Denied: a person was asked about this call and said no (request ${id}).`, approval };
  const where = url === undefined ? `Request ${id}` : `${url} (request ${id})`;
  return {
    text: `A person has to approve this call before it is made: ${where}, until ${expiresAt}. Then repeat exactly the same call; it will be made once.`,
    approval,
  };
}
