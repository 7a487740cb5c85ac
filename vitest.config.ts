import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Most of a test is waiting for a file, a process or a socket.
    maxWorkers: 2 * availableParallelism(),
    // Whoever runs the tests, by npx or not: hints name the command so.
    env: {
      QUARRY_PROGRAM: 'quarry',
      // Each command of a test is a process of its own, which need not read our code anew.
      NODE_COMPILE_CACHE: join(tmpdir(), 'quarry-tests-compile-cache'),
    },
    globalSetup: ['test/support/bundle-command.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/infra/**', 'test/aws/**', 'test/report/browser/**'],
          // A test waits for the disk at every write that must outlive a power cut.
          testTimeout: 90_000,
        },
      },
      { test: { name: 'infra', include: ['test/infra/**/*.test.ts'], testTimeout: 120_000 } },
      // Needs Chromium: scripts/test-report.sh.
      {
        test: {
          name: 'report',
          include: process.env.QUARRY_TEST_REPORT === undefined ? [] : ['test/report/browser/**/*.test.ts'],
          testTimeout: 240_000,
        },
      },
      // Needs moto and a synthesized stack: scripts/test-aws.sh.
      {
        test: {
          name: 'aws',
          include: process.env.QUARRY_TEST_AWS === undefined ? [] : ['test/aws/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 240_000,
        },
      },
    ],
    // The core is held by its own tests; what is made of it is held by what it promises (docs/guarantees.md).
    coverage: { include: ['src/core/**'], thresholds: { 100: true } },
  },
});
