import type { Evaluation } from '@behalf/contracts';
import { type Html, type Page, html, layout, visibleText } from '@behalf/pages';
import type { AccessRequest } from '@behalf/policy';

export interface ApprovalPage {
  action: string;
  csrf: string;
  viewer: string;
  request: Omit<AccessRequest, 'sealed'>;
  evaluation: Evaluation;
  /** False for the person whom another one has to approve. */
  mayApprove: boolean;
}

/** Everything that the approval would be for. What is not shown here must not be approved here. */
export function approvalPage(page: ApprovalPage): Page {
  const { request, evaluation, viewer, mayApprove } = page;
  const { resource, action, context = {} } = evaluation;
  const server = resource.properties?.['server'] ?? context['server'];
  const agents = request.actors.length > 0 ? request.actors : ['none: the person directly'];
  return layout(
    'Approve this call?',
    html`<p>
        You are signed in as <strong>${visibleText(viewer)}</strong>. If you approve, this is done once.
      </p>
      <dl>
        ${entry('On behalf of', request.person)} ${entry('Through the agents', agents.join(', then '))}
        ${entry('Application', context['client_id'])} ${entry('Server', server)}
        ${entry(action.name === 'tools/call' ? 'Tool' : action.name, resource.id)}
        <dt>Arguments</dt>
        <dd><pre>${visibleText(JSON.stringify(context['arguments'] ?? {}, null, 2))}</pre></dd>
        ${entry('Digest of the call', request.binding)}
        ${entry('Asked for by the rules', request.policies.join(', '))}
        ${entry('Can be decided until', new Date(request.expiresAtMs).toISOString())}
      </dl>
      ${
        !mayApprove &&
        html`<p class="warning" role="note">
          The call is made in your name, so somebody else has to approve it. You can deny it.
        </p>`
      }
      <form method="post" action="${page.action}">
        <input type="hidden" name="csrf" value="${page.csrf}" />
        <div class="actions">
          ${mayApprove && html`<button type="submit" name="answer" value="approve">Approve</button>`}
          <button type="submit" name="answer" value="deny" class="second">Deny</button>
        </div>
      </form>`,
  );
}

export function decidedPage(state: AccessRequest['state'] | 'expired'): Page {
  const words = {
    approved: 'The call is approved. It can be made once, exactly as it was shown.',
    denied: 'The call is denied.',
    used: 'The call was approved, and has been made.',
    expired: 'It is too late to decide about this call. It can be asked for again.',
    pending: 'Nothing has been decided yet.',
  };
  return layout(
    'Nothing more to do',
    html`<p>${words[state]}</p>
      <p class="quiet">You can close this page.</p>`,
  );
}

export function refusedPage(message: string): Page {
  return layout('This did not work', html`<p>${message}</p>`);
}

function entry(name: string, value: unknown): Html | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  return html`<dt>${name}</dt>
    <dd>${visibleText(value)}</dd>`;
}
