/** No answer, or none that comes from a node: a client tries again. */
export class Unreachable extends Error {}
