import { InfiniteQueryObserver, QueryClient } from "@tanstack/react-query";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import type { Answer } from "./request";

beforeAll(() => vi.stubGlobal("document", { baseURI: "http://127.0.0.1/", querySelector: () => null }));

type Data = { nodes: string[]; next: string | null };
type Call = { after: string | null; answer: (nodes: string[], next: string | null) => void; fail: (message: string) => void };
const clients: QueryClient[] = [];
afterEach(() => clients.splice(0).forEach((client) => client.clear()));

/** A list whose requests the test answers by hand. */
async function list() {
  const { pagingOf } = await import("./usePages");
  const { RequestError } = await import("./request");
  const calls: Call[] = [];
  const client = new QueryClient();
  clients.push(client);
  const observer = new InfiniteQueryObserver(client, {
    queryKey: ["list"],
    queryFn: ({ pageParam }) =>
      new Promise<Answer<Data>>((resolve, reject) =>
        calls.push({
          after: pageParam,
          answer: (nodes, next) => resolve({ data: { nodes, next }, faults: [], sentAt: 0 }),
          fail: (message) => reject(new RequestError([{ code: "INTERNAL", message, path: [] }], 200)),
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last: Answer<Data>) => last.data.next,
    retry: false,
  });
  observer.subscribe(() => {});
  return {
    calls,
    paging: () => pagingOf(observer.getCurrentResult()),
    nodes: () => observer.getCurrentResult().data?.pages.flatMap((page) => page.data.nodes) ?? [],
  };
}

/** Wait until an answer that was given has been delivered. */
const delivered = () => new Promise((resolve) => setTimeout(resolve, 5));

test("a next page that fails keeps what is there, is not requested again by itself, and comes with a retry", async () => {
  const { calls, paging, nodes } = await list();
  calls[0]?.answer(["a", "b"], "2");
  await delivered();
  paging().readAhead();
  paging().readAhead();
  expect(calls.length).toBe(2);
  calls[1]?.fail("Gone for a moment.");
  await delivered();
  expect(nodes()).toEqual(["a", "b"]);
  expect([paging().error, paging().faults.map((fault) => fault.message), paging().hasMore]).toEqual([null, ["Gone for a moment."], true]);
  paging().readAhead();
  expect(calls.length).toBe(2);
  paging().retry();
  expect(calls.map((call) => call.after)).toEqual([null, "2", "2"]);
  calls[2]?.answer(["c"], null);
  await delivered();
  expect([nodes(), paging().faults, paging().hasMore]).toEqual([["a", "b", "c"], [], false]);
});

test("a first page that fails is an error, and the retry requests it again", async () => {
  const { calls, paging, nodes } = await list();
  calls[0]?.fail("No.");
  await delivered();
  expect([paging().error?.message, paging().faults]).toEqual(["No.", []]);
  paging().retry();
  calls[1]?.answer(["a"], null);
  await delivered();
  expect([nodes(), paging().error]).toEqual([["a"], null]);
});

test("the next page does not cancel a refresh: what is older does not stay", async () => {
  const { calls, paging, nodes } = await list();
  calls[0]?.answer(["a, old"], "2");
  await delivered();
  paging().refetch();
  paging().readAhead();
  paging().loadMore();
  expect(calls.length).toBe(2);
  calls[1]?.answer(["a, new"], "2");
  await delivered();
  paging().readAhead();
  calls[2]?.answer(["b"], null);
  await delivered();
  expect(nodes()).toEqual(["a, new", "b"]);
});

test("a refresh cancels the next page: its answer does not come behind newer pages", async () => {
  const { calls, paging, nodes } = await list();
  calls[0]?.answer(["a"], "2");
  await delivered();
  paging().loadMore();
  paging().refetch();
  expect(calls.length).toBe(3);
  calls[2]?.answer(["new"], null);
  await delivered();
  calls[1]?.answer(["old"], null);
  await delivered();
  expect([nodes(), paging().hasMore]).toEqual([["new"], false]);
});

test("a previous answer is kept at the same moment, or where its variables say so", async () => {
  const { staysShown } = await import("./hooks");
  expect([staysShown(true, {}, true), staysShown(true, {}, false), staysShown(undefined, {}, true), staysShown(false, {}, true)]).toEqual([true, false, false, false]);
  const ofSame = (before: { id: string }) => before.id === "a";
  expect([staysShown(ofSame, { id: "a" }, false), staysShown(ofSame, { id: "b" }, true)]).toEqual([true, false]);
});
