// Loaded into a node under test: what is garbage is collected twice a second, so that the memory which is left is what
// the node holds on to.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
setInterval(collect, 500).unref();
