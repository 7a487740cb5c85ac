/** What a phase took. */
export interface Phase {
  name: string;
  wallMs: number;
  cpuMs: number;
  /** Of it, the system's: files and memory. */
  systemMs: number;
  /** Most memory that the process had while the phase went on, sampled. */
  peakMb: number;
}

const SAMPLE_MS = 25;

/** Measures the phases of this process, one after the other. */
export interface PhaseMeter {
  /** Ends the phase that is going on, if one is, and begins another. */
  begin(name: string): void;
  /** Ends the last phase. */
  end(): Phase[];
}

/** Starts measuring. */
export function createPhaseMeter(): PhaseMeter {
  const phases: Phase[] = [];
  let current: { name: string; startedMs: number; cpu: NodeJS.CpuUsage } | undefined;
  let peakBytes = 0;
  const sample = () => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  };
  const timer = setInterval(sample, SAMPLE_MS);
  const close = () => {
    if (current === undefined) return;
    sample();
    const { user, system } = process.cpuUsage(current.cpu);
    phases.push({
      name: current.name,
      wallMs: performance.now() - current.startedMs,
      cpuMs: (user + system) / 1000,
      systemMs: system / 1000,
      peakMb: peakBytes / 1e6,
    });
    current = undefined;
  };
  return {
    begin: (name) => {
      close();
      peakBytes = 0;
      current = { name, startedMs: performance.now(), cpu: process.cpuUsage() };
    },
    end: () => {
      close();
      clearInterval(timer);
      return phases;
    },
  };
}
