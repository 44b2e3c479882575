import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { RequestError } from "../api/request";
import { Empty, Failed } from "../ui/States";

export function NotFound() {
  return (
    <Empty title="Nothing is at this address">
      <p>It may have been deleted, or the link is incomplete.</p>
      <Link className="button" to="/">
        To the overview
      </Link>
    </Empty>
  );
}

export function PageFailed({ error, reset }: ErrorComponentProps) {
  const faults =
    error instanceof RequestError ? error.faults : [{ code: "CONSOLE", message: `This page failed: ${error instanceof Error ? error.message : String(error)}`, path: [] }];
  return <Failed faults={faults} retry={reset} />;
}
