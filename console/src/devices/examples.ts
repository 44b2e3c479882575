export type Example = { id: "curl" | "http" | "python"; label: string; text: string };

/** Return how a reading is sent with a device's token: as commands that can be run as they are. */
export function examplesOf(token: string, address: URL): Example[] {
  const body = '{"metrics": {"temperature": 21.5}}';
  return [
    {
      id: "curl",
      label: "curl",
      text: [`curl -s ${address.href} \\`, `  -H "Authorization: Bearer ${token}" -H "Content-Type: application/json" \\`, `  -d '${body}'`].join("\n"),
    },
    {
      id: "http",
      label: "HTTP",
      text: [
        `POST ${address.pathname} HTTP/1.1`,
        `Host: ${address.host}`,
        `Authorization: Bearer ${token}`,
        "Content-Type: application/json",
        `Content-Length: ${body.length}`,
        "",
        body,
      ].join("\n"),
    },
    {
      id: "python",
      label: "Python",
      text: [
        "import json",
        "import urllib.request",
        "",
        `request = urllib.request.Request("${address.href}", json.dumps({"metrics": {"temperature": 21.5}}).encode())`,
        `request.add_header("Authorization", "Bearer ${token}")`,
        'request.add_header("Content-Type", "application/json")',
        "print(json.load(urllib.request.urlopen(request, timeout=30)))",
      ].join("\n"),
    },
  ];
}
