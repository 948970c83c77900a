import { z } from 'zod';

const onFailure = (what: string) => z.enum(['refuse', 'continue']).default('refuse').describe(what);

/** The audit log, of every service. */
export const auditSchema = z
  .strictObject({
    onFailure: z
      .strictObject({
        exchange: onFailure('Tokens that are exchanged or issued on behalf of people, and to agents.'),
        vault: onFailure("Uses of third parties' credentials."),
        decision: onFailure('Policy decisions.'),
        other: onFailure('Sign-ins, consents, revocations and administration.'),
      })
      .prefault({})
      .describe(
        'What becomes of what cannot be recorded: `refuse`, or `continue` without a record, which is logged and counted. A change that commits with its record is always refused without it.',
      ),
    events: z
      .enum(['apart', 'always', 'never'])
      .default('apart')
      .describe(
        'Where what is recorded is published as events as well (tokens, decisions, registrations): `apart`, over NATS; `always`, inside one process, too, for what listens there; or `never`. Takes nothing from a request, and time of a process of the authorization server for every record.',
      ),
    receipts: z
      .boolean()
      .default(false)
      .describe('Answers of the policy service say where in the log the decision is recorded.'),
  })
  .prefault({});
