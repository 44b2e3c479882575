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
const headers = JSON.stringify(token ? { Authorization: `Bearer ${token}` } : { Authorization: 'Bearer TOKEN' }, null, 2);
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

const tabs = samples.map((sample) => ({ title: sample.title, query: sample.query, headers }));
const root = document.getElementById('graphiql');
root.classList.remove('loading');
ReactDOM.createRoot(root).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultTabs: tabs,
    defaultHeaders: headers,
    shouldPersistHeaders: false,
    defaultEditorToolsVisibility: true,
    // A storage of its own: tabs of an earlier visit with an old token help nobody.
    storage: { length: 0, getItem: () => null, setItem: () => {}, removeItem: () => {}, clear: () => {} },
  }),
);
