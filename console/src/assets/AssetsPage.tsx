import { HubPage } from "./HubPage";

export function AssetsPage() {
  return <HubPage kind="ASSET" />;
}
