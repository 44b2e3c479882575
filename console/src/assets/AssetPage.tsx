export function AssetPage() {
  return <h1>AssetPage</h1>;
}
