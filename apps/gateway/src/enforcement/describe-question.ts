import type { Evaluation, EvaluationsRequest } from '@behalf/contracts';
import type { AccessTokenClaims } from '@behalf/resource-server';
import { isIP } from 'node:net';
import type { ToolDefinitions } from './tool-definitions.js';

/** What the gateway does as it is told. A permission with any other duty is one it must not act on. */
export const supportedObligations = ['redact', 'step-up', 'approval', 'tool-approval'];

type Properties = NonNullable<Evaluation['context']>;

export interface QuestionDetails {
  claims: AccessTokenClaims;
  /** The claims that the configuration maps to attributes of people; no others leave the gateway. */
  claimNames: readonly string[];
  /** The peer of the connection. Headers that claim another one are not believed. */
  remoteAddress: string | undefined;
  tools: ToolDefinitions;
}

/** Adds to a question what only the enforcement point knows. */
export function describeQuestion(
  evaluation: Evaluation,
  server: string,
  details: QuestionDetails,
): Evaluation {
  const { resource } = evaluation;
  const described = resource.type === 'tool' ? details.tools.describe(server, resource.id) : undefined;
  return {
    ...evaluation,
    subject: withClaims(evaluation.subject, details),
    resource: described
      ? { ...resource, properties: { ...resource.properties, ...described } as Properties }
      : resource,
    context: { ...evaluation.context, ...about(details) },
  };
}

/** The same for a list: arguments are not known yet, so their schema is not sent. */
export function describeListQuestion(
  question: EvaluationsRequest,
  server: string,
  details: QuestionDetails,
): EvaluationsRequest {
  return {
    ...question,
    ...(question.subject && { subject: withClaims(question.subject, details) }),
    context: { ...question.context, ...about(details) },
    evaluations: question.evaluations?.map((item) => {
      const { resource } = item;
      const known = resource?.type === 'tool' ? details.tools.describe(server, resource.id) : undefined;
      if (resource === undefined || known === undefined) return item;
      const { input_schema: _, ...described } = known;
      return {
        ...item,
        resource: { ...resource, properties: { ...resource.properties, ...described } as Properties },
      };
    }),
  };
}

function withClaims(
  subject: Evaluation['subject'],
  { claims, claimNames }: QuestionDetails,
): Evaluation['subject'] {
  const mapped = Object.fromEntries(
    claimNames.filter((name) => Object.hasOwn(claims, name)).map((name) => [name, claims[name]]),
  );
  if (Object.keys(mapped).length === 0) return subject;
  return { ...subject, properties: { ...subject.properties, claims: mapped } as Properties };
}

function about({ remoteAddress }: QuestionDetails): Properties {
  const ip = remoteAddress?.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '');
  return {
    supported_obligations: supportedObligations,
    ...(ip !== undefined && isIP(ip) !== 0 && { origin: { ip } }),
  };
}
