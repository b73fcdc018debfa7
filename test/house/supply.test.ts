import { expect, test } from 'vitest';
import { readText } from './sources.js';

type Package = {
  readonly version: string;
  readonly integrity?: string;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly hasInstallScript?: boolean;
};

const { dependencies, devDependencies } = JSON.parse(readText('package.json')) as Record<
  string,
  Record<string, string>
>;
const lock = JSON.parse(readText('package-lock.json')) as { readonly packages: Readonly<Record<string, Package>> };
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');

test('every dependency is asked for in one exact version', () => {
  const asked = Object.entries({ ...dependencies, ...devDependencies });
  expect(asked.filter(([, version]) => !/^(npm:[a-z]+@)?\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

test('what is installed is what it was, by its checksum; a tool’s binary for another system may have none', () => {
  const without = packages.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'));
  expect(without.filter(([, { optional, os }]) => !optional || os === undefined)).toEqual([]);
});

test('nothing runs a program of its own when it is installed', () => {
  expect(packages.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
});
