import { createMemoryBackend } from '../../src/memory/backend.js';
import { Recorder } from '../support/recorder.js';
import { laws } from './laws.js';

laws({
  name: 'memory',
  manyNodes: false,
  async make({ limits }) {
    const backend = createMemoryBackend({ limits });
    return {
      async node(listener = new Recorder()) {
        await backend.start('the only one', listener);
        return backend;
      },
      close: () => backend.close(),
    };
  },
});
