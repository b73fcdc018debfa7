/** The messenger's page. */
import { options, render } from 'preact';
import { keepShell } from './model/shell.js';
import { App } from './ui/app.js';

// One drawing a frame, however much arrives in it.
options.debounceRendering = (draw) => void requestAnimationFrame(() => draw());

render(<App />, document.getElementById('app')!);
keepShell();
