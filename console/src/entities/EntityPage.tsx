export function EntityPage() {
  return <h1>EntityPage</h1>;
}
