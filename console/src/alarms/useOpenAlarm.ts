import { useNavigate, useRouter, useRouterState, useSearch } from "@tanstack/react-router";
import type { Search } from "../time/moment";

declare module "@tanstack/history" {
  interface HistoryState {
    /** Whether the place before in the history is the same page without its sheet. */
    isSheet?: boolean;
  }
}

/** The alarm whose sheet is open. It is in the address: a link leads to the alarm, and Back closes its sheet. */
export function useOpenAlarm(): { openId: string | null; open: (id: string) => void; close: () => void } {
  const { alarm } = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const { history } = useRouter();
  const isOwnPlace = useRouterState({ select: (state) => state.location.state.isSheet === true });
  return {
    openId: alarm ?? null,
    open: (id) => void navigate({ to: ".", search: (before) => ({ ...before, alarm: id }), state: { isSheet: true }, resetScroll: false }),
    close: () => {
      if (isOwnPlace) history.back();
      else void navigate({ to: ".", search: (before) => ({ ...before, alarm: undefined }), replace: true, resetScroll: false });
    },
  };
}
