// Executes an operation with Apollo's link for HTTP, a subscription as multipart/mixed, and prints each result as a line
// of JSON. With `persisted` its document is sent by its hash first.
// node apollo.mjs URL TOKEN QUERY VARIABLES [persisted]
import { createHash } from 'node:crypto';
import apollo from '@apollo/client/core/core.cjs';
import persisted from '@apollo/client/link/persisted-queries/persisted-queries.cjs';

const [url, token, query, variables, mode] = process.argv.slice(2);
const requests = [];
const http = new apollo.HttpLink({
  uri: url,
  headers: { Authorization: `Bearer ${token}` },
  fetch: (address, options) => {
    requests.push(JSON.parse(options.body));
    return fetch(address, options);
  },
});
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const link = mode === 'persisted' ? persisted.createPersistedQueryLink({ sha256 }).concat(http) : http;
apollo.execute(link, { query: apollo.gql(query), variables: JSON.parse(variables) }).subscribe({
  next: (value) => console.log(JSON.stringify(value)),
  error: (error) => {
    console.log(JSON.stringify({ failed: error.message }));
    process.exit(1);
  },
  complete: () => {
    if (mode === 'persisted') console.log(JSON.stringify({ sent: requests.map((request) => 'query' in request) }));
    process.exit(0);
  },
});
