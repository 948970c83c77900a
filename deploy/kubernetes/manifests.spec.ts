import { readFileSync } from 'node:fs';
import { type Deployment, findBrokenPromises } from './find-broken-promises.fixture.js';
import { findSchemaFaults, hasSchemas } from './find-schema-faults.fixture.js';
import { type Connection, type End, isLetThrough } from './is-let-through.fixture.js';
import { type Resource, kubectl, renderManifests } from './render-manifests.fixture.js';

const services = ['authorization-server', 'policy', 'elicitation', 'gateway'];
const from = (service: string): { from: End } => ({ from: { service } });
const labelled = (label: string): End => ({ namespace: { [`behalf.dev/${label}`]: 'true' } });
const nameServer: End = { namespace: { 'kubernetes.io/metadata.name': 'kube-system' } };
const outside: End = { address: '93.184.215.14' };
const authorizationServer: End = { service: 'authorization-server' };

/** What a deployment cannot do without. */
const needed: Connection[] = [
  ...services.flatMap((service): Connection[] => [
    { from: labelled('ingress'), to: { service }, port: 'http' },
    { from: labelled('monitoring'), to: { service }, port: 'metrics' },
    { ...from(service), to: nameServer, port: 53, protocol: 'UDP' },
    { ...from(service), to: nameServer, port: 53 },
    { ...from(service), to: authorizationServer, port: 'http' },
    ...[4222, 5432, 6379, 26379].map((port) => ({ ...from(service), to: labelled('data-stores'), port })),
    { ...from(service), to: labelled('monitoring'), port: 4318 },
  ]),
  { from: labelled('ingress'), to: { service: 'policy' }, port: 'grpc' },
  ...['authorization-server', 'elicitation', 'gateway'].map((service) => ({
    ...from(service),
    to: outside,
    port: 443,
  })),
];

/** What nobody who took over one part may reach from there. */
const forbidden: Connection[] = [
  ...services.flatMap((service): Connection[] => [
    { from: { namespace: {} }, to: { service }, port: 'http' },
    { from: outside, to: { service }, port: 'http' },
    { from: labelled('ingress'), to: { service }, port: 'metrics' },
    { from: labelled('data-stores'), to: { service }, port: 'http' },
    { ...from(service), to: { namespace: {} }, port: 443 },
    { ...from(service), to: outside, port: 80 },
    ...['169.254.169.254', '10.96.0.1', '172.20.0.1', '192.168.1.1', '127.0.0.1', '100.64.0.1'].map(
      (address) => ({ ...from(service), to: { address }, port: 443 }),
    ),
  ]),
  { from: authorizationServer, to: { service: 'policy' }, port: 'http' },
  { from: { service: 'gateway' }, to: { service: 'elicitation' }, port: 'http' },
  { from: { service: 'policy' }, to: outside, port: 443 },
  // A pod that somebody put beside ours.
  { from: { pod: {} }, to: authorizationServer, port: 'http' },
  { from: { pod: {} }, to: outside, port: 443 },
];

const missing = [...(hasSchemas ? [] : ['the schemas of Kubernetes']), ...(kubectl ? [] : ['kubectl'])];
if (missing.length === 0) describe('the manifests for Kubernetes', checkManifests);
else skip(`not installed: ${missing.join(', ')}; see scripts/install-kubernetes-check.mjs`);

/** In CI an error. */
function skip(problem: string): void {
  if (process.env['CI']) throw new Error(problem);
  console.warn(problem);
  it.skip('the manifests for Kubernetes', () => {});
}

function checkManifests(): void {
  const rendered = renderManifests();
  /** A copy to break. */
  const copy = (): Resource[] => structuredClone(rendered);

  it('render to a deployment of each service', () => {
    expect(deploymentsIn(rendered).map(({ metadata }) => metadata.name)).toEqual(
      expect.arrayContaining(services),
    );
    expect(deploymentsIn(rendered)).toHaveLength(services.length);
  });

  it('are as the schemas of Kubernetes want them', async () => {
    expect(await faultsIn(rendered)).toEqual([]);
  });

  it('keep what the documentation promises of every pod', () => {
    expect(promisesBrokenBy(rendered)).toEqual([]);
  });

  it('stand in a namespace that takes no pod with more rights', () => {
    const namespace = rendered.find(({ kind }) => kind === 'Namespace');
    expect(namespace?.metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  });

  it('name no secret or config map that the documentation does not', () => {
    const documented = readFileSync('docs/operations.md', 'utf8');
    const generated = rendered
      .filter(({ kind }) => kind === 'ConfigMap')
      .map(({ metadata }) => metadata.name);
    const text = JSON.stringify(deploymentsIn(rendered));
    const named = [
      ...text.matchAll(/"(?:secretRef|configMapRef|configMap|secretKeyRef)":\{"name":"([^"]+)"/g),
    ];
    expect(named.length).toBeGreaterThan(services.length);
    for (const [, name] of named)
      expect(generated.includes(name!) || documented.includes(`\`${name}\``)).toBe(true);
  });

  it('let through what is needed, and nothing that is not', () => {
    expect(needed.filter((connection) => !isLetThrough(rendered, connection))).toEqual([]);
    expect(forbidden.filter((connection) => isLetThrough(rendered, connection))).toEqual([]);
  });

  describe('the check finds', () => {
    it('a field of the wrong type, a missing one, and a kind of another version', async () => {
      const resources = copy();
      Object.assign(deploymentsIn(resources)[0]!.spec, { replicas: 'two' });
      Object.assign(deploymentsIn(resources)[1]!.spec, { selector: undefined });
      Object.assign(
        resources.find(({ kind }) => kind === 'PodDisruptionBudget')!,
        { apiVersion: 'policy/v2' },
      );
      expect(await faultsIn(resources)).toHaveLength(3);
    });

    it.each(['startupProbe', 'livenessProbe', 'readinessProbe', 'resources', 'securityContext'])(
      'a container without %s',
      (field) => {
        const resources = copy();
        for (const container of containersIn(resources)) delete container[field];
        expect(promisesBrokenBy(resources).length).toBeGreaterThanOrEqual(services.length);
      },
    );

    it.each(['behalf', 'behalf:latest', 'registry.example.com:5000/behalf'])(
      'an image without a tag: %s',
      (image) => {
        const resources = copy();
        for (const container of containersIn(resources)) container['image'] = image;
        expect(promisesBrokenBy(resources)).toEqual(
          services.map((name) => `${name}/service: has an image with a tag`),
        );
      },
    );

    it.each([{ runAsUser: 0 }, { runAsNonRoot: false }, { privileged: true }])(
      'a container that runs as root: %j',
      (context) => {
        const resources = copy();
        for (const container of containersIn(resources))
          Object.assign(container['securityContext']!, context);
        expect(promisesBrokenBy(resources)).toEqual(
          services.map((name) => `${name}/service: runs as a user without rights`),
        );
      },
    );

    it.each(['PodDisruptionBudget', 'HorizontalPodAutoscaler', 'Service', 'ServiceAccount'])(
      'the want of every %s',
      (gone) => {
        const resources = copy().filter(({ kind }) => kind !== gone);
        expect(promisesBrokenBy(resources)).toHaveLength(services.length);
      },
    );

    const policies = rendered.filter(({ kind }) => kind === 'NetworkPolicy');
    it.each(policies.map(({ metadata }) => metadata.name))('the want of the network policy %s', (gone) => {
      const resources = copy().filter(
        ({ kind, metadata }) => kind !== 'NetworkPolicy' || metadata.name !== gone,
      );
      const wrong = [
        ...needed.filter((connection) => !isLetThrough(resources, connection)),
        ...forbidden.filter((connection) => isLetThrough(resources, connection)),
      ];
      expect(wrong).not.toEqual([]);
    });
  });
}

function deploymentsIn(resources: readonly Resource[]): Deployment[] {
  return resources.filter(({ kind }) => kind === 'Deployment') as Deployment[];
}

function containersIn(resources: readonly Resource[]): Record<string, object | string>[] {
  return deploymentsIn(resources).flatMap(
    ({ spec }) => spec.template.spec.containers as unknown as Record<string, object | string>[],
  );
}

async function faultsIn(resources: readonly Resource[]): Promise<string[]> {
  return (await Promise.all(resources.map(findSchemaFaults))).flat();
}

function promisesBrokenBy(resources: readonly Resource[]): string[] {
  return deploymentsIn(resources)
    .flatMap((deployment) => findBrokenPromises(deployment, resources))
    .sort(
      (one, other) => services.indexOf(one.split(/[:/]/)[0]!) - services.indexOf(other.split(/[:/]/)[0]!),
    );
}
