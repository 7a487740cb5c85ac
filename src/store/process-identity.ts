import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import { z } from 'zod';

/** Which process it is, beyond its id: ids are used again, after a restart of the machine from the beginning. */
export const ProcessIdentity = z.object({
  pid: z.int().min(1),
  host: z.string(),
  /** Of the machine's present uptime; null where it cannot be known. */
  boot_id: z.string().nullable(),
  /** The namespace in which the id counts, as containers have their own; null outside Linux. */
  pid_namespace: z.string().nullable(),
  /** When the process began, in whatever words the system has for it; null where it cannot be known. */
  started: z.string().nullable(),
});
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

/**
 * Whether a process is still there, as seen from here. `stopped`: it is there and does nothing, as after Ctrl-Z. `restarted`: it
 * ran before this machine was started, or on another machine of this one's name. `elsewhere`: it cannot be seen from here.
 */
export type ProcessPresence = 'alive' | 'stopped' | 'gone' | 'restarted' | 'elsewhere';

const run = promisify(execFile);

/** Who this process is. */
export async function identifyThisProcess(): Promise<ProcessIdentity> {
  const here = await describeHere();
  return { ...here, pid: process.pid, started: (await findProcess(process.pid))?.started ?? null };
}

/** Whether the process that called itself `identity` is alive, as far as that can be seen from here. */
export async function presenceOf(identity: ProcessIdentity): Promise<ProcessPresence> {
  const here = await describeHere();
  if (identity.host !== here.host) return 'elsewhere';
  if (identity.boot_id !== here.boot_id) return 'restarted';
  if (identity.pid_namespace !== here.pid_namespace) return 'elsewhere';
  const found = await findProcess(identity.pid);
  if (found === undefined) return 'gone';
  const isSame = identity.started === null || found.started === null || identity.started === found.started;
  if (!isSame) return 'gone';
  return found.isStopped ? 'stopped' : 'alive';
}

async function describeHere(): Promise<Pick<ProcessIdentity, 'host' | 'boot_id' | 'pid_namespace'>> {
  const [bootId, namespace] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => null),
    readlink('/proc/self/ns/pid').catch(() => null),
  ]);
  return { host: hostname(), boot_id: bootId?.trim() ?? null, pid_namespace: namespace };
}

/** A process of this machine. */
interface FoundProcess {
  started: string | null;
  /** By Ctrl-Z, SIGSTOP or a debugger. */
  isStopped: boolean;
}

/** The process of an id and when it began; undefined where there is none, or only what a dead one left. */
async function findProcess(pid: number): Promise<FoundProcess | undefined> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM says that there is one, of another user.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined;
  }
  return (await readProcStat(pid)) ?? (await askPs(pid));
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: fields 3 (state) and 22 (starttime). */
async function readProcStat(pid: number): Promise<FoundProcess | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The name, in parentheses, may have spaces and parentheses of its own.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const started = fields?.[19];
  const state = fields?.[0] ?? '';
  return started === undefined || state === 'Z' ? undefined : { started, isStopped: /^[Tt]/.test(state) };
}

async function askPs(pid: number): Promise<FoundProcess | undefined> {
  try {
    const { stdout } = await run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      env: { ...process.env, LC_ALL: 'C' },
    });
    const [state = '', ...started] = stdout.trim().split(/\s+/);
    return state.startsWith('Z') ? undefined : { started: started.join(' '), isStopped: /^[Tt]/.test(state) };
  } catch (error) {
    // Status 1 says that there is no such process; anything else, that there is no such `ps`.
    return (error as { code?: unknown }).code === 1 ? undefined : { started: null, isStopped: false };
  }
}
