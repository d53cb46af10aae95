// The dashboard's start: settings, session, the live stream, and the page.
import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import './style/tokens.css';
import './style/base.css';
import './style/parts.css';
import './style/shared.css';
import './style/overview.css';
import './style/traffic.css';
import './style/checks.css';
import './style/ports.css';
import './style/events.css';
import './style/config.css';
import { App } from './app.tsx';
import { readSession } from './state/api.ts';
import { startLive } from './state/live.ts';
import { loadRecent } from './state/series.ts';
import { applySettings } from './state/settings.ts';

applySettings();
startLive();
render(<App />, document.getElementById('app')!);
void readSession();
void loadRecent();
