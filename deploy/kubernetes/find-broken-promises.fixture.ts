import type { Resource } from './render-manifests.fixture.js';

interface SecurityContext {
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly privileged?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
  readonly seccompProfile?: { readonly type: string };
}

interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string | number };
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly ports?: readonly { readonly name?: string }[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly resources?: Record<'requests' | 'limits', Record<string, string> | undefined>;
  readonly securityContext?: SecurityContext;
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
}

interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly securityContext?: SecurityContext;
  readonly volumes?: readonly { readonly name: string; readonly hostPath?: object }[];
}

export interface Deployment extends Resource {
  readonly spec: {
    readonly replicas: number;
    readonly strategy: { readonly rollingUpdate?: { readonly maxUnavailable?: number } };
    readonly template: {
      readonly metadata: { readonly labels: Record<string, string> };
      readonly spec: PodSpec;
    };
  };
}

/** What docs/operations.md says of the pods and is not true of this deployment among these resources. */
export function findBrokenPromises(deployment: Deployment, resources: readonly Resource[]): string[] {
  const { name } = deployment.metadata;
  const { spec, metadata } = deployment.spec.template;
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  const promises = {
    ...promisesOfAvailability(deployment, resources),
    'has a service account of its own, without a token':
      spec.automountServiceAccountToken === false &&
      resources.some((one) => one.kind === 'ServiceAccount' && one.metadata.name === spec.serviceAccountName),
    'is a part of behalf, by which the network policies go':
      metadata.labels['app.kubernetes.io/part-of'] === 'behalf' &&
      metadata.labels['app.kubernetes.io/name'] === name,
    'shares nothing with its node':
      !spec.hostNetwork &&
      !spec.hostPID &&
      !spec.hostIPC &&
      (spec.volumes ?? []).every(({ hostPath }) => hostPath === undefined),
  };
  return [
    ...broken(promises).map((promise) => `${name}: ${promise}`),
    ...containers.flatMap((container) =>
      broken(promisesOfContainer(container, spec)).map((promise) => `${name}/${container.name}: ${promise}`),
    ),
    ...spec.containers.flatMap((container) =>
      broken(promisesOfProbes(container)).map((promise) => `${name}/${container.name}: ${promise}`),
    ),
  ];
}

function promisesOfAvailability({ metadata, spec }: Deployment, resources: readonly Resource[]) {
  const named = (kind: string): Resource | undefined =>
    resources.find((one) => one.kind === kind && one.metadata.name === metadata.name);
  const scaler = named('HorizontalPodAutoscaler')?.['spec'] as
    { minReplicas?: number; scaleTargetRef: { kind: string; name: string } } | undefined;
  const service = named('Service')?.['spec'] as
    { selector: Record<string, string>; ports: { targetPort: string }[] } | undefined;
  const budget = named('PodDisruptionBudget')?.['spec'] as
    { maxUnavailable?: number; selector: { matchLabels: Record<string, string> } } | undefined;
  const ports = spec.template.spec.containers.flatMap((container) => container.ports ?? []);
  return {
    'runs twice, and stays while it is replaced':
      spec.replicas >= 2 && spec.strategy.rollingUpdate?.maxUnavailable === 0,
    'has a service that leads to its ports':
      service !== undefined &&
      selects(service.selector, spec.template.metadata.labels) &&
      service.ports.every(({ targetPort }) => ports.some((port) => port.name === targetPort)),
    'has a disruption budget':
      budget?.maxUnavailable === 1 && selects(budget.selector.matchLabels, spec.template.metadata.labels),
    'has an autoscaler that keeps two':
      scaler !== undefined &&
      Number(scaler.minReplicas) >= 2 &&
      scaler.scaleTargetRef.kind === 'Deployment' &&
      scaler.scaleTargetRef.name === metadata.name,
  };
}

function promisesOfContainer(container: Container, pod: PodSpec) {
  // What a container says of itself goes before what its pod says.
  const context: SecurityContext = { ...pod.securityContext, ...container.securityContext };
  const [, tag] = /^[^@]*?(?::([^:/@]+))?(?:@sha256:[0-9a-f]{64})?$/.exec(container.image) ?? [];
  return {
    'has an image with a tag':
      container.image.includes('@sha256:') || (tag !== undefined && tag !== 'latest'),
    'runs as a user without rights':
      context.runAsNonRoot === true && context.runAsUser !== 0 && context.privileged !== true,
    'gets no more rights later': context.allowPrivilegeEscalation === false,
    'has a read-only file system': context.readOnlyRootFilesystem === true,
    'has no capabilities':
      context.capabilities?.drop?.includes('ALL') === true && context.capabilities.add === undefined,
    'makes only usual system calls': context.seccompProfile?.type === 'RuntimeDefault',
    'asks for what it needs, and has a memory limit':
      container.resources?.limits?.['memory'] !== undefined &&
      container.resources.requests?.['cpu'] !== undefined &&
      container.resources.requests['memory'] !== undefined,
    'names no secret in its own text': (container.env ?? []).every(
      ({ name, value }) => value === undefined || !/SECRET|PASSWORD|KEY|SEED|_URL/.test(name),
    ),
  };
}

function promisesOfProbes({ ports = [], startupProbe, livenessProbe, readinessProbe }: Container) {
  const asks = (probe: Probe | undefined, path: string): boolean =>
    probe?.httpGet?.path === path && ports.some(({ name }) => name === probe.httpGet?.port);
  return {
    'is waited for while it starts': asks(startupProbe, '/healthz'),
    'is restarted when it does not live': asks(livenessProbe, '/healthz'),
    'gets requests while it is ready': asks(readinessProbe, '/readyz'),
  };
}

export function selects(wanted: Record<string, string>, labels: Record<string, string>): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

function broken(promises: Record<string, boolean>): string[] {
  return Object.keys(promises).filter((promise) => !promises[promise]);
}
