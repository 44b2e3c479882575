import { afterEach, beforeAll, expect, test, vi } from "vitest";
import type { Session } from "./session";

beforeAll(() => vi.stubGlobal("document", { baseURI: "http://127.0.0.1/argus/" }));
afterEach(() => vi.restoreAllMocks());

const anna: Session = {
  signedIn: true,
  subject: "anna",
  organization: { id: "1", name: "Works" },
  role: "operator",
  under: null,
  expiresAt: null,
  ways: { token: true, link: false, provider: null },
};
const nobody: Session = { ...anna, signedIn: false, subject: null, organization: null, role: null };

test("another user, organization, role or confinement reloads the page; the same one does not", async () => {
  const { reactionTo } = await import("./session");
  expect(reactionTo(null, false, anna)).toBe("keep");
  expect(reactionTo(anna, false, { ...anna, expiresAt: "2026-01-01T00:00:00Z" })).toBe("keep");
  const others: Partial<Session>[] = [{ subject: "ben" }, { organization: { id: "2", name: "Works" } }, { role: "viewer" }, { under: ["7"] }];
  for (const other of others) {
    expect(reactionTo(anna, false, { ...anna, ...other })).toBe("reload");
    expect(reactionTo(anna, true, { ...anna, ...other })).toBe("reload");
  }
});

test("a user who is signed out signs in over the page, which is then resumed", async () => {
  const { reactionTo } = await import("./session");
  expect(reactionTo(anna, false, nobody)).toBe("sign in");
  expect(reactionTo(anna, true, anna)).toBe("resume");
  expect(reactionTo(null, false, nobody)).toBe("sign in");
});

test("a sign-out that is refused, or does not arrive, is an error with what was said", async () => {
  const { signOut } = await import("./session");
  const answer = vi.spyOn(globalThis, "fetch");
  answer.mockResolvedValueOnce(new Response(JSON.stringify({ errors: [{ message: "Another site asked." }] }), { status: 403 }));
  await expect(signOut()).rejects.toThrow("Another site asked.");
  answer.mockResolvedValueOnce(new Response("", { status: 503 }));
  await expect(signOut()).rejects.toThrow("Still signed in (503).");
  answer.mockRejectedValueOnce(new TypeError("network"));
  await expect(signOut()).rejects.toThrow("still signed in");
  answer.mockResolvedValueOnce(new Response(null, { status: 204 }));
  await expect(signOut()).resolves.toBeUndefined();
});
