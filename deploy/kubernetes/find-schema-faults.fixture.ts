import { existsSync } from 'node:fs';
import type { Resource } from './render-manifests.fixture.js';

/** Where scripts/install-kubernetes-check.mjs puts them. */
const models = new URL('./check/node_modules/kubernetes-models/', import.meta.url);

export const hasSchemas = existsSync(models);

/** What the API of Kubernetes would refuse. Does NOT find misspelled names: the schemas leave unknown ones alone. */
export async function findSchemaFaults(resource: Resource): Promise<string[]> {
  const { apiVersion, kind, metadata } = resource;
  // `apps/v1` is a folder of that path, `v1` is core.
  const module = new URL(`${apiVersion}/${kind}.js`, models);
  if (!existsSync(module)) return [`there is no ${kind} in ${apiVersion}`];
  const { [kind]: Model } = (await import(module.href)) as Record<string, ModelClass>;
  try {
    new Model!(resource).validate();
    return [];
  } catch (error) {
    return [`${kind} ${metadata.name}: ${(error as Error).message}`];
  }
}

type ModelClass = new (resource: Resource) => { validate(): void };
