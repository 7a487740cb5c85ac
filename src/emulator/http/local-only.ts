import type { IncomingHttpHeaders } from 'node:http';

/** What a request says of where it comes from, and of whom it takes this server for. */
export interface Provenance {
  host: string | undefined;
  origin: string | undefined;
  /** How a browser says that a page of another site makes the request. */
  fetchSite: string | undefined;
}

const LOOPBACK = /^(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/** Reads it from the headers, of HTTP/1.1 or HTTP/2. */
export function provenanceOf(headers: IncomingHttpHeaders): Provenance {
  const textOf = (name: string) => {
    const value = headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
  return {
    host: textOf(':authority') ?? textOf('host'),
    origin: textOf('origin'),
    fetchSite: textOf('sec-fetch-site'),
  };
}

/**
 * Why a request is refused that a web page may have made: the emulator is for programs on this machine, since it makes jobs,
 * and may spend money at a model server. A page under a name that was pointed at 127.0.0.1 shows by its Host.
 */
export function refuseForeign({ host = '', origin, fetchSite }: Provenance): string | undefined {
  if (!LOOPBACK.test(host)) {
    return `The emulator answers requests to this machine only, and the Host of this one is "${host}". Use http://127.0.0.1.`;
  }
  if (origin !== undefined && !LOOPBACK.test(origin.replace(/^https?:\/\//i, ''))) {
    return `The emulator answers programs on this machine only, and this request comes from a web page of ${origin}.`;
  }
  if (fetchSite === 'cross-site') {
    return 'The emulator answers programs on this machine only, and this request comes from a web page of another site.';
  }
  return undefined;
}
