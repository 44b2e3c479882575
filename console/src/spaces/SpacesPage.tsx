import { HubPage } from "../assets/HubPage";

export function SpacesPage() {
  return <HubPage kind="SPACE" />;
}
