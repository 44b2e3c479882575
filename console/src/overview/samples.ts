/** Return a text as a word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Return the address to which devices send, of where the console is served. */
export function ingestUrl(base: string): string {
  return new URL("api/v1/telemetry/ingest", base).href;
}

export function curlSample(url: string, token: string): string {
  return `curl -s ${shellWord(url)} \\
  -H "Authorization: Bearer ${token}" -H "Content-Type: application/json" \\
  -d '{"metrics": {"temperature": 21.5}}'`;
}

export function pythonSample(url: string, token: string): string {
  return `import json
import urllib.request

request = urllib.request.Request(
    ${JSON.stringify(url)},
    json.dumps({"metrics": {"temperature": 21.5}}).encode(),
    {"Authorization": ${JSON.stringify(`Bearer ${token}`)}, "Content-Type": "application/json"},
)
print(urllib.request.urlopen(request).read().decode())`;
}
