/**
 * How fast the machine is at the moment. On a shared machine a CPU second buys now more, now less; hashing tells how
 * much, and costs are scaled to one speed.
 */
import { createHash } from 'node:crypto';

/** MB of SHA-1 a CPU second that all costs are scaled to. */
export const REFERENCE_SPEED = 1_600;
const BLOCK = Buffer.alloc(64 * 1_024, 'skein');
const READING_MS = 25;
const BETWEEN_MS = 500;

/** MB of SHA-1 a CPU second, right now; takes 25 ms of one core. */
export function readSpeed(): number {
  const before = process.cpuUsage();
  const end = performance.now() + READING_MS;
  let blocks = 0;
  do {
    createHash('sha1').update(BLOCK).digest();
    blocks++;
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(before);
  return (blocks * BLOCK.length) / (user + system);
}

/** Reads the speed until told to stop, and then tells the mean. */
export class SpeedReadings {
  private readonly readings = [readSpeed()];
  private readonly timer = setInterval(() => this.readings.push(readSpeed()), BETWEEN_MS);

  stop(): number {
    clearInterval(this.timer);
    this.readings.push(readSpeed());
    return this.readings.reduce((sum, each) => sum + each, 0) / this.readings.length;
  }
}

/** CPU microseconds of a machine of this speed, as a machine of the reference speed would need them. */
export const scaled = (micros: number, speed: number): number => (micros * speed) / REFERENCE_SPEED;
