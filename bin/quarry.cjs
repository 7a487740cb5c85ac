#!/usr/bin/env node
const fault = require('./node-version.cjs');

if (fault !== undefined) {
  console.error(fault);
  process.exitCode = 1;
} else {
  const { existsSync } = require('node:fs');
  const { enableCompileCache } = require('node:module');
  const { join } = require('node:path');
  const { pathToFileURL } = require('node:url');
  // In a checkout the sources themselves: nothing has to be built, and nothing can be stale.
  const source = join(__dirname, '..', 'src', 'cli', 'main.ts');
  const command = existsSync(source) ? source : join(__dirname, '..', 'dist', 'lib', 'cli.js');
  // Half of what a short command takes is reading our own code: Node keeps what it made of it, in the system's folder
  // for temporary files or in NODE_COMPILE_CACHE, and does without where it cannot.
  enableCompileCache();
  void import(pathToFileURL(command).href);
}
