import type { ProviderConfig } from '@behalf/config';
import type { OAuthPreset } from '../presets.js';
import type { ProviderWebhook } from '../webhook/provider-webhook.js';
import type { Fault } from './fault.js';
import type { Environment } from './resolve-client.js';
import { withoutUndefined } from './without-undefined.js';

type WebhookConfig = NonNullable<Extract<ProviderConfig, { kind: 'oauth' }>['webhook']>;

export function resolveWebhook(
  { secretEnv, demoSecret, ...own }: WebhookConfig,
  preset: OAuthPreset['webhook'],
  environment: Environment,
  fault: Fault,
): ProviderWebhook | undefined {
  const secret = secretEnv === undefined ? demoSecret : environment[secretEnv];
  const { signature, deliveryHeader, revoked, account, challenge } = { ...preset, ...withoutUndefined(own) };
  if (!secret) fault('webhook.secretEnv: needed');
  if (!signature || !revoked || account === undefined)
    fault('webhook: signature, revoked and account are needed');
  if (!secret || !signature || !revoked || account === undefined) return undefined;
  const { timestampHeader } = signature;
  const signed = { ...signature, timestampHeader };
  return { secret, signature: signed, deliveryHeader, revoked, account, challenge };
}
