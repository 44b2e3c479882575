// Executes an operation with the graphql-sse client, in its distinct connections mode, and prints each result as a line
// of JSON.
// node sse.mjs URL TOKEN QUERY VARIABLES
import { createClient } from 'graphql-sse';

const [url, token, query, variables] = process.argv.slice(2);
const client = createClient({ url, headers: { Authorization: `Bearer ${token}` }, retryAttempts: 0 });
client.subscribe(
  { query, variables: JSON.parse(variables) },
  {
    next: (value) => console.log(JSON.stringify(value)),
    error: (error) => {
      console.log(JSON.stringify({ failed: error instanceof Error ? error.message : error }));
      process.exit(1);
    },
    complete: () => process.exit(0),
  },
);
