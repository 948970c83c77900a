import { readFileSync } from 'node:fs';

/** What a process has used up so far. On a machine that others use, too, this says more than requests a second. */
export function costOf(pid) {
  return {
    pid,
    /** Resident memory in MiB. */
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024,
    /** Milliseconds of CPU, all threads. Linux counts in hundredths of a second. */
    cpuMs() {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
      return (Number(fields[11]) + Number(fields[12])) * 10;
    },
  };
}
