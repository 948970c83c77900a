// Renders the kustomize base and checks every resource against the schemas of Kubernetes and against what we promise
// of our pods. Needs kubectl (or kustomize) for the rendering; talks to no cluster.
import { spawnSync } from 'node:child_process';
import { parseAllDocuments } from 'yaml';

const base = new URL('../base', import.meta.url).pathname;
const faults = [];

/** `apps/v1` is a module of that path, `v1` is core. */
async function schemaOf({ apiVersion, kind }) {
  const models = await import(`kubernetes-models/${apiVersion}`).catch(() => undefined);
  return models?.[kind];
}

for (const resource of render()) {
  const name = `${resource.kind} ${resource.metadata?.name}`;
  const Model = await schemaOf(resource);
  if (!Model) {
    faults.push(`${name}: there is no ${resource.kind} in ${resource.apiVersion}`);
    continue;
  }
  try {
    new Model(resource).validate();
  } catch (error) {
    faults.push(`${name}: ${error.message}`);
  }
  if (resource.kind === 'Deployment')
    faults.push(...brokenPromises(resource).map((text) => `${name}: ${text}`));
}

for (const fault of faults) console.error(fault);
console.log(faults.length === 0 ? 'The manifests are valid.' : `${faults.length} fault(s).`);
process.exitCode = faults.length === 0 ? 0 : 1;

function render() {
  for (const command of [
    ['kubectl', 'kustomize', base],
    ['kustomize', 'build', base],
  ]) {
    const { status, stdout, stderr, error } = spawnSync(command[0], command.slice(1), { encoding: 'utf8' });
    if (error) continue;
    if (status !== 0) throw new Error(stderr);
    return parseAllDocuments(stdout).map((document) => document.toJS());
  }
  throw new Error('neither kubectl nor kustomize is installed');
}

function brokenPromises({ spec }) {
  const pod = spec.template.spec;
  return pod.containers.flatMap((container) => {
    const { securityContext = {}, resources = {} } = container;
    const promises = {
      'runs as a user without rights': pod.securityContext?.runAsNonRoot === true,
      'has a read-only file system': securityContext.readOnlyRootFilesystem === true,
      'has no capabilities': securityContext.capabilities?.drop?.includes('ALL'),
      'has probes': container.livenessProbe && container.readinessProbe && container.startupProbe,
      'has a memory limit': resources.limits?.memory !== undefined,
      'names no secret in its own text': (container.env ?? []).every(
        ({ name, value }) => value === undefined || !/SECRET|PASSWORD|KEY|SEED/.test(name),
      ),
    };
    return Object.entries(promises)
      .filter(([, kept]) => !kept)
      .map(([promise]) => `not true any more: it ${promise}`);
  });
}
