import type { Evaluation, EvaluationDecision } from '@behalf/contracts';
import { defaultTenant, issueDecisionGrant } from '@behalf/decision-grant';
import { actClaimSchema } from '@behalf/oauth';
import { type Clock, type RecordStore, nowSeconds } from '@behalf/ports';
import type { KeyEncryptionKey } from '@behalf/sealing';
import { type PublicJwk, PurposeSigner } from '@behalf/signing-keys';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';

/** A grant lives for seconds; keys are published for as long as a vault may take to ask for them again. */
const overlapSeconds = 3_600;

const actorsSchema = z.array(actClaimSchema);

export interface DecisionGrantsOptions {
  /** The policy service. */
  issuer: string;
  /** The vault. */
  audience: string;
  lifetimeSeconds: number;
}

/**
 * Signs permissions to use third parties' credentials, with keys that sign nothing else. What a grant says is what was
 * decided, taken from the question itself.
 */
export class DecisionGrants {
  readonly #signer: PurposeSigner;

  constructor(
    records: RecordStore,
    kek: KeyEncryptionKey,
    private readonly clock: Clock,
    private readonly options: DecisionGrantsOptions,
  ) {
    this.#signer = new PurposeSigner(records, kek, clock, { purpose: 'decision-grant', overlapSeconds });
  }

  publicJwks(): Promise<{ keys: PublicJwk[] }> {
    return this.#signer.publicJwks();
  }

  /** The answer with a grant in it, where it permits the use of a third party's credential; otherwise as it was. */
  async attach(evaluation: Evaluation, answer: EvaluationDecision): Promise<EvaluationDecision> {
    const decisionId = answer.context?.id;
    if (
      !answer.decision ||
      decisionId === undefined ||
      answer.context?.preview ||
      !isThirdPartyUse(evaluation)
    ) {
      return answer;
    }
    const { subject, resource, context = {} } = evaluation;
    const { issuer, audience, lifetimeSeconds } = this.options;
    const decision_grant = await issueDecisionGrant(
      {
        person: subject.id,
        actors: actorsSchema.parse(context['actors']),
        clientId: z.string().parse(context['client_id']),
        tenant: defaultTenant,
        resource: resource.id,
        scopes: z
          .string()
          .parse(context['scope'] ?? '')
          .split(' ')
          .filter((scope) => scope !== ''),
        decisionId,
      },
      {
        signer: this.#signer,
        issuer,
        audience,
        nowSeconds: nowSeconds(this.clock),
        lifetimeSeconds,
        newId: randomUUID,
      },
    );
    return { ...answer, context: { ...answer.context, decision_grant } };
  }
}

/**
 * As the authorization server asks for a person's token to be exchanged for a third party's, and the elicitation service
 * for a call to be made with it.
 */
export function isThirdPartyUse({ subject, action, resource }: Evaluation): boolean {
  return (
    subject.type === 'user' &&
    (action.name === 'exchange' || action.name === 'forward') &&
    typeof resource.properties?.['provider'] === 'string'
  );
}
