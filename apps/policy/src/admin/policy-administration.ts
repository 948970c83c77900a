import type { AuditLog } from '@behalf/audit';
import {
  type bundleListSchema,
  type candidateRequestSchema,
  type publishRequestSchema,
  type replayRequestSchema,
  type rollbackRequestSchema,
  type shadowRequestSchema,
  type toolPinRequestSchema,
  toolPinsChanged,
} from '@behalf/contracts';
import { OAuthError } from '@behalf/oauth';
import {
  type MappingOptions,
  type PolicyEngine,
  type PolicyParser,
  type ToolPin,
  toolPinId,
  toolPins,
} from '@behalf/policy';
import {
  type BundleFile,
  PolicyRefused,
  activations,
  activePolicies,
  bundleFilesSchema,
  bundles,
  checkCandidate,
  diffBundles,
  publishBundle,
  replayDecisions,
  rollBack,
  setShadow,
  toBundle,
  versionOfFiles,
} from '@behalf/policy-life';
import type { Clock, RecordStore } from '@behalf/ports';
import type { KeyEncryptionKey } from '@behalf/sealing';
import type { z } from 'zod';
import type { ShadowPolicies } from '../life/shadow-policies.js';
import { recordedDecisions } from './recorded-decisions.js';

type Request<S extends z.ZodType> = z.infer<S>;
const defaultReplay = 50_000;

export interface PolicyAdministrationOptions {
  records: RecordStore;
  clock: Clock;
  audit: AuditLog;
  parser: PolicyParser;
  engine: PolicyEngine;
  newEngine: () => PolicyEngine;
  shadow: ShadowPolicies;
  keyEncryptionKey: KeyEncryptionKey;
  mapping: MappingOptions;
  /** With files a bundle that was published would not decide. */
  source: 'files' | 'records';
}

/** What is done to policies, each act in the audit log. Does not ask who calls; the controller has done that. */
export class PolicyAdministration {
  constructor(private readonly options: PolicyAdministrationOptions) {}

  async list(): Promise<z.infer<typeof bundleListSchema>> {
    const { records, engine } = this.options;
    const shadow = await records.get(activePolicies, 'shadow');
    const all = [];
    let page;
    let afterId = '';
    do {
      page = await records.list(activations, { afterId, limit: 100 });
      all.push(...page.map(({ value }) => value));
      afterId = page.at(-1)?.id ?? afterId;
    } while (page.length === 100);
    return {
      live: engine.version ?? null,
      shadow: shadow?.value.version ?? null,
      activations: all.toReversed(),
    };
  }

  async bundle(version: string) {
    return (await this.options.records.get(bundles, version))?.value;
  }

  async publish({ files, reason, expectedVersion }: Request<typeof publishRequestSchema>, author: string) {
    this.#checkSource();
    return this.#change('policy-publish', author, reason, () =>
      publishBundle(filesOf(files), { ...this.#publishing(author, reason), expectedVersion }),
    );
  }

  async rollBack({ version, reason }: Request<typeof rollbackRequestSchema>, author: string) {
    this.#checkSource();
    return this.#change('policy-roll-back', author, reason, () =>
      rollBack({ ...this.#publishing(author, reason), version }),
    );
  }

  check({ files }: Request<typeof candidateRequestSchema>) {
    const candidate = filesOf(files);
    const { problems } = checkCandidate(candidate, this.options);
    return { version: versionOfFiles(candidate), problems };
  }

  async diff({ files }: Request<typeof candidateRequestSchema>) {
    const live = await this.#liveFiles();
    return diffBundles(toBundle(live), toBundle(filesOf(files)), this.options.parser);
  }

  async replay({ files, limit = defaultReplay }: Request<typeof replayRequestSchema>) {
    const { engine, newEngine, records, keyEncryptionKey, mapping } = this.options;
    const candidate = newEngine();
    const problems = candidate.load(toBundle(filesOf(files)));
    if (candidate.version === undefined) throw refusal(new PolicyRefused('invalid', problems));
    return replayDecisions(
      recordedDecisions(records, keyEncryptionKey, limit),
      { live: engine, candidate },
      mapping,
    );
  }

  shadowStatus() {
    return this.options.shadow.status;
  }

  /** Keeps the bundle without making it live, and compares with it from now on. */
  async setShadow({ files }: Request<typeof shadowRequestSchema>, author: string) {
    const { records, clock, shadow } = this.options;
    const candidate = files && filesOf(files);
    if (candidate !== undefined) {
      const { problems } = checkCandidate(candidate, this.options);
      if (problems.some(({ severity }) => severity === 'error'))
        throw refusal(new PolicyRefused('invalid', problems));
      const version = versionOfFiles(candidate);
      await records.transaction(async (transaction) => {
        if ((await transaction.get(bundles, version)) !== undefined) return;
        const record = { files: candidate, author, reason: 'shadow', createdAtMs: clock.nowMs() };
        await transaction.put(bundles, version, record, { expectedVersion: 0 });
      });
    }
    await setShadow(records, candidate && versionOfFiles(candidate));
    await this.#audit('policy-shadow', author, { version: candidate ? versionOfFiles(candidate) : null });
    await shadow.reload();
    return shadow.status;
  }

  async pin({ server, tool, hash }: Request<typeof toolPinRequestSchema>, author: string): Promise<ToolPin> {
    const { records, clock } = this.options;
    const pin: ToolPin = { server, tool, hash, pinnedBy: author, pinnedAtMs: clock.nowMs() };
    await records.transaction(async (transaction) => {
      await transaction.put(toolPins, toolPinId(server, tool), pin);
      await transaction.emit(toolPinsChanged, { server, tool });
    });
    await this.#audit('tool-pin', author, { server, tool, hash });
    return pin;
  }

  async #change<T extends { version: string }>(
    type: string,
    author: string,
    reason: string,
    act: () => Promise<T>,
  ): Promise<T> {
    try {
      const done = await act();
      await this.#audit(type, author, { version: done.version, reason });
      return done;
    } catch (error) {
      if (error instanceof PolicyRefused) throw refusal(error);
      throw error;
    }
  }

  #publishing(author: string, reason: string) {
    const { records, parser, clock } = this.options;
    return { records, parser, author, reason, nowMs: clock.nowMs() };
  }

  #checkSource(): void {
    if (this.options.source !== 'records')
      throw new OAuthError('invalid_request', 'policies come from files here', { status: 409 });
  }

  async #liveFiles(): Promise<BundleFile[]> {
    const { records, engine } = this.options;
    const live = engine.version === undefined ? undefined : await records.get(bundles, engine.version);
    if (live === undefined)
      throw new OAuthError('invalid_request', 'the live policies are files', { status: 409 });
    return live.value.files;
  }

  async #audit(type: string, client: string, details: Record<string, string | null>): Promise<void> {
    const { audit, clock } = this.options;
    await audit.append({ type, outcome: 'allowed', occurredAtMs: clock.nowMs(), client, details });
  }
}

function filesOf(files: { file: string; text: string }[]): BundleFile[] {
  const parsed = bundleFilesSchema.safeParse(files);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map(({ path, message }) => [...path, message].join(' '));
  throw new OAuthError('invalid_request', `not a bundle: ${places.slice(0, 5).join('; ')}`);
}

/** What is wrong with a bundle is for its author to read; policies are no secret from those who may change them. */
function refusal(refused: PolicyRefused): OAuthError {
  const status = { invalid: 422, conflict: 409, not_found: 404, reason_missing: 400 }[refused.reason];
  const found = refused.problems
    .filter(({ severity }) => severity === 'error')
    .map(({ file, policy, reason }) => [file, policy, reason].filter(Boolean).join(': '));
  return new OAuthError(
    'invalid_request',
    [`refused: ${refused.reason}`, ...found].join('; ').slice(0, 2_000),
    {
      status,
      cause: refused,
    },
  );
}
