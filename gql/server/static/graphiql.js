// Starts GraphiQL with the sample queries. The token comes in the address behind '#token=' and goes no further
// than this page: a fragment is not sent to the server, and it is taken out of the address at once.
'use strict';

const samples = JSON.parse(document.getElementById('samples').textContent);
const fragment = new URLSearchParams(window.location.hash.slice(1));
const given = fragment.get('token');
if (given) {
  sessionStorage.setItem('argus-token', given);
  history.replaceState(null, '', window.location.pathname);
}
const token = sessionStorage.getItem('argus-token');
// Whoever is signed in to the console needs no header.
const placeholder = token ? { Authorization: `Bearer ${token}` } : { Authorization: 'Bearer TOKEN' };
let headers = JSON.stringify(placeholder, null, 2);
const address = new URL(window.location.pathname, window.location.href).href;

// The headers editor holds the token; each subscription's socket gives it to the server when it connects.
function fetcher(parameters, options) {
  const sent = (options && options.headers) || {};
  const wsClient = graphqlWs.createClient({
    url: address.replace(/^http/, 'ws'),
    connectionParams: { Authorization: sent.Authorization || sent.authorization },
    lazy: true,
  });
  return GraphiQL.createFetcher({ url: address, wsClient })(parameters, options);
}

// The times that a sample needs, counted from now.
function variablesOf(sample) {
  const times = Object.entries(sample.minutes).map(([name, minutes]) => [
    name,
    new Date(Date.now() + minutes * 60000).toISOString(),
  ]);
  return times.length ? JSON.stringify(Object.fromEntries(times), null, 2) : '';
}

const element = React.createElement;

// The collection, by what its queries are for; one that is chosen is opened in a tab of its own.
function Samples() {
  const { addTab, activeTabIndex, queryEditor, variableEditor } = GraphiQL.React.useEditorContext({ nonNull: true });
  const [chosen, choose] = React.useState(null);
  // Only when the new tab is there do the editors belong to it.
  React.useEffect(() => {
    if (!chosen) return;
    queryEditor.setValue(chosen.query);
    variableEditor.setValue(variablesOf(chosen));
    choose(null);
  }, [activeTabIndex]);
  const open = (sample) => () => {
    choose(sample);
    addTab();
  };
  const uses = [...new Set(samples.map((sample) => sample.use))];
  return element(
    'section',
    { className: 'samples', 'aria-label': 'Examples' },
    element('h2', null, 'Examples'),
    ...uses.map((use) =>
      element(
        React.Fragment,
        { key: use },
        element('h3', null, use),
        element(
          'ul',
          null,
          ...samples
            .filter((sample) => sample.use === use)
            .map((sample) =>
              element('li', { key: sample.title }, element('button', { type: 'button', onClick: open(sample) }, sample.title)),
            ),
        ),
      ),
    ),
  );
}

const icon = () =>
  element(
    'svg',
    { viewBox: '0 0 24 24', width: 20, height: 20, fill: 'none', stroke: 'currentColor', strokeWidth: 1.5 },
    element('path', { d: 'M4 6h2M4 12h2M4 18h2M9 6h11M9 12h11M9 18h11' }),
  );
const plugin = { title: 'Examples', icon, content: Samples };
const root = document.getElementById('graphiql');

async function start() {
  if (!token) {
    const session = await fetch('session').then((answer) => answer.json()).catch(() => ({}));
    if (session.signedIn) headers = '{}';
  }
  const tabs = samples
    .filter((sample) => sample.use === samples[0].use)
    .map((sample) => ({ title: sample.title, query: sample.query, variables: variablesOf(sample), headers }));
  root.classList.remove('loading');
  ReactDOM.createRoot(root).render(
    element(GraphiQL, {
      fetcher,
      plugins: [plugin],
      defaultTabs: tabs,
      defaultHeaders: headers,
      defaultQuery: '',
      shouldPersistHeaders: false,
      defaultEditorToolsVisibility: true,
      // A storage of its own: tabs of an earlier visit with an old token help nobody.
      storage: { length: 0, getItem: () => null, setItem: () => {}, removeItem: () => {}, clear: () => {} },
    }),
  );
}
start();

// GraphiQL shows a plugin from the beginning only where its storage remembers that it was open.
const opening = setInterval(() => {
  const button = root.querySelector(`button[aria-label="Show ${plugin.title}"]`);
  if (!button) return;
  clearInterval(opening);
  button.click();
}, 50);
