#!/usr/bin/env node
import { runCli } from './program.ts';

// Whoever reads what we print may have seen enough (`quarry results … | head -1`); nobody to read progress stops no run.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await runCli(process.argv.slice(2), {
  // Not opened before somebody asks for it.
  get in() {
    return process.stdin;
  },
  out: process.stdout,
  err: process.stderr,
  exitStatus: 0,
});
