import { expect, test } from 'vitest'
import { faultsIn, missingFrom } from './lock.mjs'

const tool = (at: string, builds: Record<string, string>) => ({
  [at]: { version: '2.0.0', dev: true, license: 'MIT', optionalDependencies: builds },
})

test('a build of a native tool that the lock file leaves out is a fault, and is written from what its name says', () => {
  const packages = tool('node_modules/tool', { '@tool/linux-x64-musl': '2.0.0', '@tool/windows-arm64': '2.0.0' })
  expect(faultsIn({ packages })).toHaveLength(2)
  expect(missingFrom({ packages })).toEqual({
    'node_modules/@tool/linux-x64-musl': {
      version: '2.0.0',
      cpu: ['x64'],
      dev: true,
      libc: ['musl'],
      license: 'MIT',
      optional: true,
      os: ['linux'],
    },
    'node_modules/@tool/windows-arm64': {
      version: '2.0.0',
      cpu: ['arm64'],
      dev: true,
      license: 'MIT',
      optional: true,
      os: ['win32'],
    },
  })
  expect(faultsIn({ packages: { ...packages, ...missingFrom({ packages }) } })).toEqual([])
})

test('beside another version of the same build, it is written below its own tool', () => {
  const packages = {
    ...tool('node_modules/a/node_modules/tool', { '@tool/darwin-x64': '2.0.0' }),
    'node_modules/@tool/darwin-x64': { version: '1.0.0' },
  }
  expect(Object.keys(missingFrom({ packages }))).toEqual([
    'node_modules/a/node_modules/tool/node_modules/@tool/darwin-x64',
  ])
})

test('a build that stands where Node finds it is not missing', () => {
  const builds = { '@tool/darwin-x64': '2.0.0' }
  expect(
    missingFrom({
      packages: {
        ...tool('packages/sdk/node_modules/tool', builds),
        'node_modules/@tool/darwin-x64': { version: '2.0.0' },
      },
    }),
  ).toEqual({})
})

test('a registry’s address in the lock file is a fault', () => {
  const packages = {
    'node_modules/a': { version: '1.0.0', resolved: 'https://registry.invalid/a.tgz' },
    'node_modules/b': { resolved: 'packages/b' },
  }
  expect(faultsIn({ packages })).toEqual([expect.stringContaining('node_modules/a: names a registry')])
})
