export function AlarmsPage() {
  return <h1>AlarmsPage</h1>;
}
