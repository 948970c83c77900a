import { backchannelUrl, type BehalfConfig } from '@behalf/config';
import type { Backend } from '@behalf/policy-dialects';
import { ConfiguredSecret } from '@behalf/service-kit';
import { resolve } from 'node:path';

/** What one decision may weigh: arguments are part of it, and they hold files. */
export const evaluationLimits = { maxBytes: 1024 * 1024, maxDepth: 64 };
/** A list of hundreds of tools is one batch. */
export const batchLimits = { maxBytes: 4 * 1024 * 1024, maxDepth: 64, maxEvaluations: 1000 };
/**
 * How many decisions the official evaluator makes again, to be compared. It takes milliseconds with many policies, in
 * which nothing else is answered, so a busy service gives it no more than one part in two hundred of its time.
 */
export const shadowSampling = { share: 0.01, pauseFactor: 200 };
/** What a token must carry to ask for decisions. */
export const requiredScope = 'policy:evaluate';

export interface PolicyServiceConfig {
  /** Absolute. */
  policiesFolder: string;
  /** Also the resource identifier that callers' tokens are for. */
  publicUrl: string;
  issuer: string;
  /** Where the issuer is reached under one of its URLs. */
  reachIssuer: (url: string) => string;
  jwksUri: string;
  tokenEndpoint: string;
  allowUnauthenticatedLoopback: boolean;
  maxInFlight: number;
  /** What one call over gRPC may take altogether; over HTTP the same holds for every service. */
  requestTimeoutMs: number;
  /** Answers say where they are recorded. */
  receipts: boolean;
  resourceTypes: Readonly<Record<string, string>>;
  grpc: BehalfConfig['policy']['grpc'];
  backends: readonly ServedBackend[];
  dialects: BehalfConfig['policy']['dialects'];
  source: BehalfConfig['policy']['source'];
  personAttributes: Readonly<Record<string, string>>;
  numbers: BehalfConfig['policy']['numbers'];
  approvalRequestSeconds: number;
  /** Undefined: people have no page to approve on. */
  approvalPage: ApprovalPageConfig | undefined;
  decisionRecords: BehalfConfig['policy']['decisionRecords'];
  /** Whom decision grants are for, and how long they live. */
  vault: { publicUrl: string; grantSeconds: number };
}

/** The client as which people sign in to approve, and who may decide about calls of others. */
export interface ApprovalPageConfig {
  clientId: string;
  clientSecret: ConfiguredSecret;
  approverGroups: readonly string[];
}

export interface ServedBackend extends Backend {
  exchangeResource: string | undefined;
}

/** What this service reads of the configuration, and nothing else. */
export function policyServiceConfig({
  audit,
  policy,
  authorizationServer,
  elicitation,
  requestTimeoutSeconds,
}: BehalfConfig): PolicyServiceConfig {
  const { issuer, paths } = authorizationServer;
  const reachIssuer = (url: string): string => backchannelUrl(authorizationServer, url);
  return {
    policiesFolder: resolve(policy.policies),
    publicUrl: policy.publicUrl,
    issuer,
    reachIssuer,
    jwksUri: reachIssuer(`${issuer}${paths.jwks}`),
    tokenEndpoint: reachIssuer(`${issuer}${paths.token}`),
    receipts: audit.receipts,
    allowUnauthenticatedLoopback: policy.allowUnauthenticatedLoopback,
    maxInFlight: policy.maxInFlight,
    requestTimeoutMs: requestTimeoutSeconds * 1000,
    resourceTypes: policy.resourceTypes,
    grpc: policy.grpc,
    backends: Object.entries(policy.backends).map(([name, { exchangeResource, ...backend }]) => ({
      ...backend,
      name,
      exchangeResource,
    })),
    dialects: policy.dialects,
    source: policy.source,
    personAttributes: policy.personAttributes,
    numbers: policy.numbers,
    approvalRequestSeconds: policy.approvals.requestSeconds,
    approvalPage: approvalPage(policy.approvals),
    decisionRecords: policy.decisionRecords,
    vault: { publicUrl: elicitation.publicUrl, grantSeconds: elicitation.vault.grantSeconds },
  };
}

function approvalPage({
  clientId,
  secretEnv,
  demoSecret,
  approverGroups,
}: BehalfConfig['policy']['approvals']): ApprovalPageConfig | undefined {
  if (clientId === undefined) return undefined;
  const clientSecret =
    secretEnv === undefined
      ? ConfiguredSecret.of(demoSecret ?? '')
      : ConfiguredSecret.named(secretEnv, process.env);
  return { clientId, clientSecret, approverGroups };
}
