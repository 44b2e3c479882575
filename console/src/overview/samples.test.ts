import { expect, test } from "vitest";
import { unaccounted } from "./account";
import { curlSample, ingestUrl, pythonSample, shellWord } from "./samples";

test("devices send to where the console is served, below a prefix too", () => {
  expect(ingestUrl("http://plant.example:8000/")).toBe("http://plant.example:8000/api/v1/telemetry/ingest");
  expect(ingestUrl("https://example.org/argus/#/devices")).toBe("https://example.org/argus/api/v1/telemetry/ingest");
});

test("a name of an organization is one word of a shell", () => {
  expect(shellWord("north-works")).toBe("north-works");
  expect(shellWord("North works")).toBe("'North works'");
  expect(shellWord("Ada's; rm")).toBe(`'Ada'\\''s; rm'`);
});

test("the samples hold the address and the token", () => {
  for (const sample of [curlSample("http://x/api", "argus_dev_1"), pythonSample("http://x/api", "argus_dev_1")]) {
    expect(sample).toContain("http://x/api");
    expect(sample).toContain("Bearer argus_dev_1");
  }
});

test("what is on its way is what the account lacks", () => {
  expect(unaccounted({ received: 10, stored: 6, duplicate: 1, dead: 1, pending: 1 })).toBe(1);
});
