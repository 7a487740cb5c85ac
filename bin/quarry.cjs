#!/usr/bin/env node
const fault = require('./node-version.cjs');

if (fault !== undefined) {
  console.error(fault);
  process.exitCode = 1;
} else {
  const { existsSync } = require('node:fs');
  const { join } = require('node:path');
  const { pathToFileURL } = require('node:url');
  // In a checkout the sources themselves: nothing has to be built, and nothing can be stale.
  const source = join(__dirname, '..', 'src', 'cli', 'main.ts');
  const command = existsSync(source) ? source : join(__dirname, '..', 'dist', 'lib', 'cli.js');
  void import(pathToFileURL(command).href);
}
