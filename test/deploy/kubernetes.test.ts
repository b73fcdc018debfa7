import { Deployment } from 'kubernetes-models/apps/v1';
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, Service } from 'kubernetes-models/v1';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfig } from '../../src/ops/config.js';
import { SETTINGS } from '../../src/ops/settings.js';
import { readText } from '../house/sources.js';

const MODELS = { ConfigMap, Deployment, Ingress, PodDisruptionBudget, Service };

type Manifest = { readonly kind: keyof typeof MODELS; readonly metadata: { readonly name: string } };
type Kustomization = { readonly resources: readonly string[]; readonly images: readonly { readonly name: string }[] };

const read = (file: string): string => readText(`deploy/kubernetes/${file}`);
const kustomization = parse(read('kustomization.yaml')) as Kustomization;
const manifests = kustomization.resources.flatMap((file) =>
  parseAllDocuments(read(file)).map((document) => document.toJS() as Manifest),
);

function theOne<T>(kind: keyof typeof MODELS): T {
  return manifests.find((manifest) => manifest.kind === kind) as T;
}

type Variable = { readonly name: string; readonly value?: string; readonly valueFrom?: object };
const deployment = theOne<{
  spec: {
    selector: object;
    template: {
      spec: {
        terminationGracePeriodSeconds: number;
        securityContext: object;
        containers: readonly [
          {
            image: string;
            ports: readonly { name: string; containerPort: number }[];
            env: readonly Variable[];
            lifecycle: { preStop: { exec: { command: readonly string[] } } };
            securityContext: object;
          },
        ];
      };
    };
  };
}>('Deployment');
const pod = deployment.spec.template.spec;
const [container] = pod.containers;
const settings = theOne<{ data: Readonly<Record<string, string>> }>('ConfigMap').data;

describe('the Kubernetes base', () => {
  test.each(manifests)('has a $kind that its schema allows', (manifest) => {
    const model = MODELS[manifest.kind];
    // Selectors are not in the files: kustomize writes them, from the labels of kustomization.yaml.
    const labels = { matchLabels: { 'app.kubernetes.io/name': 'skein' } };
    const spec = {
      ...(manifest as { spec?: object }).spec,
      ...(manifest.kind === 'Deployment' && { selector: labels }),
    };
    const complete = manifest.kind === 'ConfigMap' ? manifest : { ...manifest, spec };
    expect(() => new model(complete as never).validate()).not.toThrow();
  });

  test('is refused by its schema when a field is misspelt', () => {
    const misspelt = { ...theOne<object>('Service'), spec: { ports: [{ prot: 80 }] } };
    expect(() => new Service(misspelt as never).validate()).toThrow();
  });

  test('sets what a node knows, and values that it takes', () => {
    const names = [...Object.keys(settings), ...container.env.map(({ name }) => name)];
    const known = Object.values(SETTINGS).map(({ name }) => name as string);
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
    const env = { ...settings, REDIS_URL: 'redis://redis:6379', SKEIN_JWT_SECRET: 'x'.repeat(32) };
    expect(loadConfig(env)).not.toHaveProperty('errors');
  });

  test('takes secrets from a Secret and nowhere else', () => {
    const secrets = Object.values(SETTINGS).flatMap(({ name, secret }) => (secret ? [name as string] : []));
    expect(Object.keys(settings).filter((name) => secrets.includes(name))).toEqual([]);
    const theirs = container.env.filter(({ name }) => secrets.includes(name));
    expect(theirs.length).toBeGreaterThan(0);
    for (const variable of theirs) expect(variable).toMatchObject({ valueFrom: { secretKeyRef: { name: 'skein' } } });
  });

  test('gives a node the time that leaving takes', () => {
    const pause = Number(/(\d+)\)$/.exec(container.lifecycle.preStop.exec.command.at(-1) ?? '')?.[1]) / 1_000;
    expect(pause).toBeGreaterThan(0);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(pause + Number(settings.SKEIN_DRAIN_SECONDS));
  });

  test('runs as nobody who may do anything', () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  test('names ports that a node opens, and an image that kustomize knows', () => {
    const ports = container.ports.map(({ containerPort }) => String(containerPort));
    expect(ports).toEqual([SETTINGS.port.fallback, SETTINGS.metricsPort.fallback]);
    const services = manifests.filter(({ kind }) => kind === 'Service') as unknown as {
      spec: { ports: readonly { targetPort: string }[] };
    }[];
    const targets = services.flatMap(({ spec }) => spec.ports.map(({ targetPort }) => targetPort));
    expect(targets).toEqual(container.ports.map(({ name }) => name));
    expect(kustomization.images.map(({ name }) => name)).toEqual([container.image]);
  });
});
