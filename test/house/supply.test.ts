import { expect, test } from 'vitest';
import { readText } from './sources.js';

type Package = {
  readonly version: string;
  readonly integrity?: string;
  readonly optional?: boolean;
  readonly dev?: boolean;
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

/** Binaries of tools for other systems than the image’s and CI’s; see docs/decisions/supply-chain.md. */
const WITHOUT_CHECKSUM = [
  ...[
    'android-arm64',
    'android-x64',
    'darwin-arm64',
    'darwin-x64',
    'linux-arm64-musl',
    'linux-x64-musl',
    'win32-arm64',
    'win32-x64',
  ].map((system) => `@biomejs/cli-${system}`),
  ...[
    'android-arm-eabi',
    'android-arm64',
    'darwin-arm64',
    'darwin-x64',
    'freebsd-x64',
    'linux-arm-gnueabihf',
    'linux-arm-musleabihf',
    'linux-ppc64-gnu',
    'linux-riscv64-gnu',
    'linux-riscv64-musl',
    'linux-s390x-gnu',
    'openharmony-arm64',
    'win32-arm64-msvc',
    'win32-ia32-msvc',
    'win32-x64-msvc',
  ].map((system) => `@oxc-parser/binding-${system}`),
];

test('what is installed is what it was, by its checksum; some tools’ binaries for other systems have none', () => {
  const without = packages.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'));
  expect(without.map(([path]) => path.replace('node_modules/', '')).sort()).toEqual(WITHOUT_CHECKSUM.sort());
  expect(without.filter(([, { optional, dev, os }]) => !optional || !dev || os === undefined)).toEqual([]);
});

test('nothing runs a program of its own when it is installed', () => {
  expect(packages.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
});
