import { loadPolicyBundle } from '@behalf/adapter-cedar';
import { toFiles } from '@behalf/policy-life';
import { inOneLine } from './local-commands.js';
import { UsageError } from '../parse-command.js';
import type { CommandOutcome } from '../command-result.js';
import {
  bundleListSchema,
  changeAnswerSchema,
  replayAnswerSchema,
  shadowAnswerSchema,
} from '@behalf/contracts';
import { renderReplay } from '@behalf/policy-life';
import type { z } from 'zod';

/** A little more than the service gives to a replay, which is the longest it does. */
const timeoutMs = 310_000;

export interface PolicyService {
  url: string;
  token: string | undefined;
}

/** The policy service refused, and said why. */
export class ServiceRefused extends Error {
  override readonly name = 'ServiceRefused';
}

export async function listBundles(service: PolicyService): Promise<CommandOutcome> {
  const data = await ask(service, 'GET', 'bundles', bundleListSchema);
  const lines = data.activations.map(
    ({ version, act, author, reason, activatedAtMs }) =>
      `${version === data.live ? '*' : ' '} ${version.slice(0, 12)}  ${new Date(activatedAtMs).toISOString()}  ${act}  ${author}: ${reason}`,
  );
  return { data, text: lines.join('\n') || 'no bundle was published yet', failed: false };
}

export async function publishFolder(
  service: PolicyService,
  folder: string,
  reason: string,
  expectedVersion: string | undefined,
): Promise<CommandOutcome> {
  const files = toFiles(await loadPolicyBundle(folder));
  return change(service, 'bundles', { files, reason, expectedVersion });
}

export async function rollBack(
  service: PolicyService,
  version: string | undefined,
  reason: string,
): Promise<CommandOutcome> {
  return change(service, 'rollback', { version, reason });
}

export async function replayFolder(
  service: PolicyService,
  folder: string,
  limit: string | undefined,
): Promise<CommandOutcome> {
  const files = toFiles(await loadPolicyBundle(folder));
  const body = { files, ...(limit !== undefined && { limit: Number(limit) }) };
  const data = await ask(service, 'POST', 'replay', replayAnswerSchema, body);
  return { data, text: renderReplay(data), failed: false };
}

export async function shadowFolder(service: PolicyService, folder: string): Promise<CommandOutcome> {
  const body = folder === 'off' ? {} : { files: toFiles(await loadPolicyBundle(folder)) };
  const data = await ask(service, 'PUT', 'shadow', shadowAnswerSchema, body);
  return { data, text: data.version === null ? 'no shadow' : `shadow ${data.version}`, failed: false };
}

async function change(service: PolicyService, path: string, body: object): Promise<CommandOutcome> {
  const data = await ask(service, 'POST', path, changeAnswerSchema, body);
  const text = [
    `live ${data.version}`,
    `replaced ${data.replaced ?? 'nothing'}`,
    ...data.warnings.map(inOneLine),
  ];
  return { data, text: text.join('\n'), failed: false };
}

async function ask<T>(
  { url, token }: PolicyService,
  method: string,
  path: string,
  schema: z.ZodType<T>,
  body?: object,
): Promise<T> {
  if (token === undefined) throw new UsageError('BEHALF_TOKEN needs a token with the scope policy:admin');
  const response = await fetch(`${url}/admin/policy/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer: unknown = await response.json();
  if (!response.ok)
    throw new ServiceRefused(`the policy service answered ${response.status}: ${JSON.stringify(answer)}`);
  return schema.parse(answer);
}
