const WIDTH = 96;
const HEIGHT = 22;

/** A line without axes, of buckets of equal length; a gap where there is no value. Its extremes are its name. */
export function Sparkline({ label, unit, values }: { label: string; unit: string | null; values: readonly (number | null)[] }) {
  const known = values.filter((value): value is number => value !== null);
  if (known.length === 0) return <span className="muted">no values</span>;
  const least = Math.min(...known);
  const most = Math.max(...known);
  const x = (index: number) => (values.length < 2 ? WIDTH / 2 : 2 + (index * (WIDTH - 4)) / (values.length - 1));
  const y = (value: number) => (most === least ? HEIGHT / 2 : HEIGHT - 3 - ((value - least) * (HEIGHT - 6)) / (most - least));
  let path = "";
  let isPen = false;
  const dots: number[] = [];
  values.forEach((value, index) => {
    if (value === null) {
      isPen = false;
      return;
    }
    path += `${isPen ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
    if (!isPen && (values[index + 1] ?? null) === null) dots.push(index);
    isPen = true;
  });
  const text = `${label}: ${short(least)} to ${short(most)}${unit ? ` ${unit}` : ""} in 24 h`;
  return (
    <svg className="sparkline" width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={text}>
      <path d={path} fill="none" stroke="var(--series-1)" strokeWidth="1.5" strokeLinejoin="round" />
      {dots.map((index) => (
        <circle key={index} cx={x(index)} cy={y(values[index] ?? 0)} r="1.8" fill="var(--series-1)" />
      ))}
    </svg>
  );
}

function short(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: 4 });
}
