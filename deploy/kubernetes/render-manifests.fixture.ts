import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parseAllDocuments } from 'yaml';

const base = 'deploy/kubernetes/base';
/** Where scripts/install-kubernetes-check.mjs puts it. */
const installed = 'deploy/kubernetes/check/node_modules/.bin/kubectl';

export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; labels?: Record<string, string> };
  readonly [field: string]: unknown;
}

/** Undefined where there is none. */
export const kubectl = existsSync(installed)
  ? installed
  : (process.env['PATH'] ?? '')
      .split(delimiter)
      .map((folder) => join(folder, 'kubectl'))
      .find((file) => existsSync(file));

/**
 * What `kubectl apply -k` would send to a cluster. Talks to none.
 * @throws Error when there is no kubectl that knows our kustomization, or it finds the kustomization wrong
 */
export function renderManifests(): Resource[] {
  if (kubectl === undefined) throw new Error('there is no kubectl');
  const text = execFileSync(kubectl, ['kustomize', base], { encoding: 'utf8', timeout: 60_000 });
  return parseAllDocuments(text).map((document) => document.toJS() as Resource);
}
