import { expect, it } from "vitest";
import { type Mutation, PERMISSIONS, refusalOf } from "./permissions";

const mutations = Object.keys(PERMISSIONS) as Mutation[];
const allowed = (role: "viewer" | "operator" | "admin", under: string[] | null = null) => mutations.filter((name) => refusalOf({ role, under }, name) === null);

it("lets a viewer change nothing, and an administrator everything", () => {
  expect(allowed("viewer")).toEqual([]);
  expect(allowed("admin")).toEqual(mutations);
});

it("offers an operator no tokens, no retiring and no restoring", () => {
  const operator = allowed("operator");
  expect(operator).toContain("correctEdge");
  for (const name of ["issueDeviceToken", "deleteEntities", "restoreEntity", "importGraph"] as const) expect(operator).not.toContain(name);
});

it("keeps who is confined to a part from what concerns the whole, and says why", () => {
  expect(allowed("admin", ["hall"])).not.toContain("importGraph");
  expect(refusalOf({ role: "admin", under: ["hall"] }, "importGraph")).toContain("confined");
  expect(refusalOf({ role: "operator", under: null }, "issueDeviceToken")).toBe("This needs the role admin; you are signed in as operator.");
});
