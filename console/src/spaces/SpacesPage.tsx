export function SpacesPage() {
  return <h1>SpacesPage</h1>;
}
