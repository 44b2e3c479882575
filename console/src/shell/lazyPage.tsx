import type { RouteComponent } from "@tanstack/react-router";
import { type ComponentType, use, useCallback, useEffect, useReducer } from "react";
import { onReopened } from "../api/live";
import { PageName } from "../ui/PageName";
import { Failed } from "../ui/States";

/**
 * A page whose code is loaded when it is first shown, or about to be.
 *
 * Where it cannot be loaded, as while Argus restarts, the page says so in its place and tries again when the connection
 * is back. The tab is not reloaded meanwhile: that would leave the browser's own error, and lose what was typed.
 */
export function lazyPage<M, N extends keyof M>(load: () => Promise<M>, name: N): RouteComponent {
  let component: ComponentType | null = null;
  let failure: unknown = null;
  let loading: Promise<void> | null = null;
  // How often the code was asked for although Argus answers.
  let retries = 0;
  const start = () =>
    (loading ??= load().then(
      (module) => {
        component = module[name] as ComponentType;
        retries = 0;
        loading = null;
      },
      (error: unknown) => {
        failure = error;
        loading = null;
      },
    ));
  function Page() {
    const [, again] = useReducer((count: number) => count + 1, 0);
    const retry = useCallback(async () => {
      if (!(await isAnswering())) return;
      // In vain once: it has another console by now, or the browser remembers the failure.
      if (retries > 0) return location.reload();
      retries += 1;
      failure = null;
      again();
    }, []);
    if (component === null && failure === null) use(start());
    if (component === null) return <Unloaded retry={retry} />;
    const Loaded = component;
    return <Loaded />;
  }
  Page.preload = async () => {
    if (component !== null) return;
    failure = null;
    await start();
  };
  return Page;
}

function Unloaded({ retry }: { retry: () => Promise<void> }) {
  useEffect(() => onReopened(() => void retry()), [retry]);
  return (
    <div className="stack">
      <PageName name="Not loaded" />
      <Failed
        faults={[{ code: "UNREACHABLE", message: "Argus does not answer, so this page could not be loaded.", path: [] }]}
        retry={() => void retry()}
      />
    </div>
  );
}

async function isAnswering(): Promise<boolean> {
  try {
    return (await fetch(document.baseURI, { method: "HEAD", cache: "no-store" })).ok;
  } catch {
    return false;
  }
}
