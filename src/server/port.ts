/** Whether a port can be had. */
import { createServer } from 'node:net';

/** Connections that may wait to be accepted while a node is busy; the system may allow fewer (`net.core.somaxconn`). */
export const BACKLOG = 2_048;

/**
 * Rejects where somebody listens on this port already, or the address is not of this host. Connections of an earlier
 * process that the system still remembers (TIME_WAIT, a minute long) are no hindrance.
 */
export function assertFree(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => reject(new Error(`cannot listen on ${host}:${port}: ${error.message}`)));
    probe.listen({ host, port }, () => probe.close(() => resolve()));
  });
}
